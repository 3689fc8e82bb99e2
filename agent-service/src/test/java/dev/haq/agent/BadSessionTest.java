package dev.haq.agent;

import static dev.haq.agent.TestClient.refused;
import static dev.haq.agent.TestClient.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.ListEpisodesRequest;
import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.DataSelection.Split;
import dev.haq.proto.model.v1.Preprocessing;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.proto.model.v1.Resource;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Sessions that cannot be: each is refused with a reason and one line, and nothing is stored. */
final class BadSessionTest {
  @RegisterExtension static final AgentFixture fixture = new AgentFixture();

  private static FakeQuantizer quantizer;
  private static TestClient client;

  @BeforeAll
  static void start() {
    quantizer = fixture.quantizer();
    client = fixture.client();
  }

  static Stream<Arguments> badSpecs() {
    return Stream.of(
        bad("no model", "spec.model", s -> s.clearModel()),
        bad(Reason.UNKNOWN_MODEL, "sha256:0", s -> s.setModel("sha256:0")),
        bad("no data", "spec.data", s -> s.clearData()),
        bad(
            Reason.UNKNOWN_DATASET,
            "sha256:1",
            s -> s.setData(DataSelection.newBuilder().setDataset("sha256:1"))),
        bad(
            "negative images",
            "spec.data",
            s -> s.setData(s.getDataBuilder().setMaxImages(-1).build())),
        bad(
            "held-out fraction",
            "spec.data",
            s -> s.setData(s.getDataBuilder().setHeldOutFraction(1.5).build())),
        bad(
            "held-out images",
            "spec.data.split is HELD_OUT",
            s -> s.setData(s.getDataBuilder().setSplit(Split.HELD_OUT).build())),
        bad(
            "calibration images",
            "spec.data.split is CALIBRATION",
            s -> s.setData(s.getDataBuilder().setSplit(Split.CALIBRATION).build())),
        bad(
            Reason.IMAGE_SIZE_MISMATCH,
            "another size",
            s ->
                s.setData(
                    s.getDataBuilder()
                        .setPreprocessing(
                            Preprocessing.newBuilder()
                                .setCrop(7)
                                .addAllMean(List.of(0.0, 0.0, 0.0))
                                .addAllStd(List.of(1.0, 1.0, 1.0)))
                        .build())),
        bad(
            Reason.LABEL_OUT_OF_RANGE,
            "has 11 classes",
            s -> s.setData(DataSelection.newBuilder().setDataset(FakeQuantizer.MORE_CLASSES))),
        bad("no target", "spec.target", s -> s.clearTarget()),
        bad(
            Reason.UNKNOWN_TARGET,
            "'abacus'",
            s -> s.setTarget(TargetRef.newBuilder().setName("abacus"))),
        bad("no budget", "spec.budget", s -> s.clearBudget()),
        bad(
            "no limit",
            "spec.budget",
            s -> s.setBudget(Budget.newBuilder().setResource(Resource.LATENCY))),
        bad(
            "zero budget",
            "spec.budget",
            s -> s.setBudget(Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0))),
        bad(
            Reason.BUDGET_INFEASIBLE,
            "smallest reachable",
            s -> s.setBudget(Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.01))),
        bad(
            Reason.RESOURCE_NOT_MODELLED,
            "no energy model",
            s -> s.setBudget(Budget.newBuilder().setResource(Resource.ENERGY).setRatio(0.5))),
        bad("unknown agent", "'sarsa'", s -> s.setAgent("sarsa")),
        bad("negative episodes", "spec.episodes", s -> s.setEpisodes(-1)),
        bad("too many episodes", "spec.episodes", s -> s.setEpisodes(100_001)),
        bad("long name", "spec.name", s -> s.setName("x".repeat(1000))),
        bad("unknown recipe", "spec.recipe", s -> s.setRecipe(Recipe.newBuilder().setName("cake"))),
        bad(
            Reason.INVALID_BITS,
            "spec.weight_bits",
            s -> s.setWeightBits(BitChoices.newBuilder().addAllBits(List.of(4, 2)))),
        bad(
            Reason.INVALID_BITS,
            "spec.weight_bits has 9",
            s -> s.setWeightBits(BitChoices.newBuilder().addAllBits(List.of(8, 9)))),
        bad(
            Reason.INVALID_BITS,
            "spec.activation_bits",
            s -> s.setActivationBits(BitChoices.getDefaultInstance())),
        bad(
            Reason.INVALID_BITS,
            "spec.activation_bits has 1:",
            s -> s.setActivationBits(BitChoices.newBuilder().addAllBits(List.of(1, 2, 3)))),
        bad(
            "large networks",
            "hidden1 4096, hidden2 4096",
            s -> s.getDdpgBuilder().setHidden1(4096).setHidden2(4096)),
        bad("hidden units", "hidden1", s -> s.getDdpgBuilder().setHidden1(0)),
        bad(
            "learning rate",
            "actor_learning_rate",
            s -> s.getDdpgBuilder().setActorLearningRate(-1)),
        bad("tau", "tau", s -> s.getDdpgBuilder().setTau(Double.NaN)));
  }

  private static Arguments bad(String what, String named, Consumer<SessionSpec.Builder> change) {
    return Arguments.of(what, Reason.INVALID_ARGUMENT, named, change);
  }

  private static Arguments bad(Reason reason, String named, Consumer<SessionSpec.Builder> change) {
    return Arguments.of(reason.name(), reason, named, change);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badSpecs")
  void aBadSpecIsRefusedNamingWhatIsWrong(
      String what, Reason reason, String named, Consumer<SessionSpec.Builder> change) {
    SessionSpec.Builder spec = spec(5);
    change.accept(spec);
    HaqException error = refused(reason, () -> client.create(spec));
    assertTrue(error.getMessage().contains(named), error.getMessage());
    assertEquals(1, error.getMessage().lines().count());
    assertEquals(
        0, client.stub().listSessions(ListSessionsRequest.getDefaultInstance()).getSessionsCount());
  }

  @Test
  void theModelIsAskedForOnce() {
    int before = quantizer.modelCalls();
    refused(
        Reason.UNKNOWN_TARGET,
        () -> client.create(spec(5).setTarget(TargetRef.newBuilder().setName("abacus"))));
    assertEquals(1, quantizer.modelCalls() - before);
  }

  @Test
  void aRequestWithoutASpecOrWithALongIdIsRefused() {
    refused(
        Reason.INVALID_ARGUMENT,
        () -> client.stub().createSession(CreateSessionRequest.getDefaultInstance()));
    refused(Reason.INVALID_ARGUMENT, () -> client.create(spec(5), "x".repeat(129)));
  }

  @Test
  void badPagesAreRefused() {
    for (int size : new int[] {-1, 1001}) {
      refused(
          Reason.INVALID_ARGUMENT,
          () ->
              client
                  .stub()
                  .listSessions(ListSessionsRequest.newBuilder().setPageSize(size).build()));
    }
    HaqException error =
        refused(
            Reason.INVALID_ARGUMENT,
            () ->
                client
                    .stub()
                    .listSessions(ListSessionsRequest.newBuilder().setPageToken("x").build()));
    assertTrue(error.getMessage().contains("page_token"), error.getMessage());
    refused(
        Reason.UNKNOWN_SESSION,
        () ->
            client.stub().listEpisodes(ListEpisodesRequest.newBuilder().setSessionId("x").build()));
  }
}
