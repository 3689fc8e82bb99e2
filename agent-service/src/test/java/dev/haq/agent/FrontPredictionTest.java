package dev.haq.agent;

import static dev.haq.agent.TestClient.refused;
import static dev.haq.agent.TestClient.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.proto.agent.v1.PredictFrontEvent;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.PredictedFront;
import dev.haq.proto.agent.v1.PredictedPoint;
import dev.haq.proto.agent.v1.Preparation;
import dev.haq.proto.agent.v1.Reward;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.DataSelection.Split;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.proto.model.v1.Resource;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Fronts without a search, over real gRPC, with fake services behind. */
final class FrontPredictionTest {
  @RegisterExtension static final AgentFixture fixture = new AgentFixture();

  private static FakeQuantizer quantizer;
  private static TestClient client;

  @BeforeAll
  static void start() {
    quantizer = fixture.quantizer();
    client = fixture.client();
  }

  private static PredictFrontRequest.Builder request() {
    return PredictFrontRequest.newBuilder()
        .setModel(FakeQuantizer.MODEL)
        .setData(DataSelection.newBuilder().setDataset(FakeQuantizer.DATASET))
        .setTarget(TargetRef.newBuilder().setName(FakeSimulator.TARGET))
        .setResource(Resource.LATENCY);
  }

  private static List<PredictFrontEvent> events(PredictFrontRequest.Builder request) {
    List<PredictFrontEvent> events = new ArrayList<>();
    client.stub().predictFront(request.build()).forEachRemaining(events::add);
    return events;
  }

  private static PredictedFront front(PredictFrontRequest.Builder request) {
    List<PredictFrontEvent> events = events(request);
    return events.get(events.size() - 1).getFront();
  }

  @Test
  void theFrontComesLastAndBeforeItHowFarTheMeasuringIs() {
    int evaluations = quantizer.evaluations();
    int sessions = sessions();
    List<PredictFrontEvent> events = events(request());
    Preparation first = events.get(0).getPreparation();
    int all = FakeQuantizer.NETWORK.size() * 2 * 7; // operands, widths 2..8
    assertEquals(all, first.getToMeasure());
    assertEquals(all - first.getMeasured(), first.getSecondsLeft());
    assertEquals(
        events.size() - 1, events.stream().filter(PredictFrontEvent::hasPreparation).count());
    PredictedFront front = events.get(events.size() - 1).getFront();
    int points = front.getPointsCount();
    assertTrue(points > 40 && points <= 50, "gaps have no points of their own: " + points);
    for (int i = 1; i < points; i++) {
      assertTrue(front.getPoints(i).getCost() > front.getPoints(i - 1).getCost());
      assertTrue(front.getPoints(i).getDivergence() < front.getPoints(i - 1).getDivergence());
    }
    PredictedPoint dearest = front.getPoints(points - 1);
    assertEquals(1, dearest.getCostRatio(), 1e-12);
    assertEquals(front.getReferenceCost(), dearest.getCost(), 1e-12);
    assertEquals(0, dearest.getDivergence());
    assertEquals(FakeQuantizer.MODEL, dearest.getPolicy().getModel());
    assertEquals("/features/0/Conv", dearest.getPolicy().getLayers(0).getName());
    assertTrue(front.getSlack() > 0 && front.getSlack() < 1e-3 * front.getReferenceCost());
    assertFalse(front.getExtrapolated());
    assertEquals(evaluations, quantizer.evaluations());
    assertEquals(sessions, sessions());
  }

  private static int sessions() {
    return client.stub().listSessions(ListSessionsRequest.getDefaultInstance()).getSessionsCount();
  }

  @Test
  void aSessionOfDpFindsThePolicyOfAPointAndMeasuresNothingElse() {
    int before = quantizer.measurements();
    PredictedPoint point = front(request()).getPoints(20);
    Budget budget =
        Budget.newBuilder()
            .setResource(Resource.LATENCY)
            .setAbsolute(point.getCost() * (1 + 1e-12))
            .build();
    Session session =
        client.awaitEnd(
            client
                .create(spec(1).setAgent("dp").setBudget(budget).setReward(Reward.KL_DIVERGENCE))
                .getId());
    Episode found = session.getBest();
    assertEquals(point.getPolicy(), found.getPolicy());
    assertEquals(point.getCost(), found.getCost().getLatencySeconds());
    assertEquals(point.getCostRatio(), found.getCostRatio());
    // The fake's losses add up, and pinned widths lose nothing.
    assertEquals(point.getDivergence(), found.getAccuracy().getKlDivergence(), 1e-9);
    List<MeasureSensitivityRequest> asked = quantizer.measured().subList(before, before + 2);
    assertEquals(asked.get(0), asked.get(1));
    assertEquals(before + 2, quantizer.measurements());
  }

  @Test
  void ofModelSizeWeightsAloneAreChosen() {
    PredictedFront front = front(request().setResource(Resource.MODEL_SIZE).setMaxPoints(5));
    assertEquals(5, front.getPointsCount());
    for (PredictedPoint point : front.getPointsList()) {
      assertTrue(
          point.getPolicy().getLayersList().stream().noneMatch(LayerBits::hasActivationBits));
      assertTrue(point.getCostRatio() <= 0.25, "8 of 32 bits");
    }
  }

  @Test
  void onlyWidthsThatWereAskedForAreChosenFirstAndLastLayerIncluded() {
    BitChoices two = BitChoices.newBuilder().addBits(2).addBits(4).build();
    PredictedFront front =
        front(
            request()
                .setTarget(TargetRef.newBuilder().setName(FakeSimulator.UNCHECKED))
                .setWeightBits(two)
                .setActivationBits(two)
                .setSearchFirstAndLast(true));
    assertTrue(front.getExtrapolated());
    for (PredictedPoint point : front.getPointsList()) {
      List<LayerBits> layers = point.getPolicy().getLayersList();
      assertEquals(8, layers.get(0).getActivationBits());
      assertTrue(two.getBitsList().contains(layers.get(0).getWeightBits()));
      for (LayerBits layer : layers.subList(1, layers.size())) {
        assertTrue(two.getBitsList().contains(layer.getWeightBits()));
        assertTrue(two.getBitsList().contains(layer.getActivationBits()));
      }
    }
  }

  @Test
  void aCallerThatLeavesStopsTheMeasuringAndHoldsUpNobody() throws InterruptedException {
    quantizer.holdSensitivities();
    try (CancellableContext context = Context.current().withCancellation()) {
      Context before = context.attach();
      try {
        Iterator<PredictFrontEvent> events = client.stub().predictFront(request().build());
        assertTrue(events.next().hasPreparation());
      } finally {
        context.detach(before);
      }
      sessions(); // others are answered meanwhile
    }
    assertTrue(quantizer.awaitMeasurementLeft());
    quantizer.permitSensitivities();
  }

  static Stream<Arguments> badRequests() {
    return Stream.of(
        bad(Reason.INVALID_ARGUMENT, "model is empty", q -> q.clearModel()),
        bad(Reason.UNKNOWN_MODEL, "there is no model", q -> q.setModel("sha256:0")),
        bad(Reason.INVALID_ARGUMENT, "data", q -> q.clearData()),
        bad(
            Reason.UNKNOWN_DATASET,
            "there is no dataset",
            q -> q.setData(DataSelection.newBuilder().setDataset("sha256:1"))),
        bad(
            Reason.LABEL_OUT_OF_RANGE,
            "data: dataset",
            q -> q.setData(DataSelection.newBuilder().setDataset(FakeQuantizer.MORE_CLASSES))),
        bad(
            Reason.INVALID_ARGUMENT,
            "data.split is HELD_OUT",
            q -> q.getDataBuilder().setSplit(Split.HELD_OUT)),
        bad(Reason.INVALID_ARGUMENT, "target is missing", q -> q.clearTarget()),
        bad(
            Reason.UNKNOWN_TARGET,
            "there is no target 'abacus'",
            q -> q.setTarget(TargetRef.newBuilder().setName("abacus"))),
        bad(Reason.INVALID_ARGUMENT, "resource", q -> q.clearResource()),
        bad(
            Reason.RESOURCE_NOT_MODELLED,
            "the target has no energy model",
            q -> q.setResource(Resource.ENERGY)),
        bad(
            Reason.INVALID_ARGUMENT,
            "recipe",
            q -> q.setRecipe(Recipe.newBuilder().setName("cake"))),
        bad(
            Reason.INVALID_BITS,
            "weight_bits has 9",
            q -> q.setWeightBits(BitChoices.newBuilder().addBits(8).addBits(9))),
        bad(
            Reason.INVALID_BITS,
            "activation_bits",
            q -> q.setActivationBits(BitChoices.getDefaultInstance())),
        bad(Reason.INVALID_ARGUMENT, "max_points is 1:", q -> q.setMaxPoints(1)),
        bad(Reason.INVALID_ARGUMENT, "max_points is 1001:", q -> q.setMaxPoints(1001)));
  }

  private static Arguments bad(
      Reason reason, String begins, Consumer<PredictFrontRequest.Builder> change) {
    return Arguments.of(reason, begins, change);
  }

  @ParameterizedTest(name = "{0}: {1}")
  @MethodSource("badRequests")
  void whatASessionWouldBeRefusedForIsRefusedBeforeItIsMeasured(
      Reason reason, String begins, Consumer<PredictFrontRequest.Builder> change) {
    PredictFrontRequest.Builder request = request();
    change.accept(request);
    int before = quantizer.measurements();
    HaqException error = refused(reason, () -> events(request));
    assertTrue(error.getMessage().startsWith(begins), error.getMessage());
    assertEquals(before, quantizer.measurements());
  }
}
