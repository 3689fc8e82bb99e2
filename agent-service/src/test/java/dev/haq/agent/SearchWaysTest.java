package dev.haq.agent;

import static dev.haq.agent.TestClient.findings;
import static dev.haq.agent.TestClient.refused;
import static dev.haq.agent.TestClient.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Front;
import dev.haq.proto.agent.v1.GetFrontRequest;
import dev.haq.proto.agent.v1.LayerWidths;
import dev.haq.proto.agent.v1.Preparation;
import dev.haq.proto.agent.v1.ResourceFront;
import dev.haq.proto.agent.v1.Reward;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.agent.v1.TargetBudget;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.Resource;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways to search, over real gRPC, with fake services behind. */
final class SearchWaysTest {
  @RegisterExtension final AgentFixture fixture = new AgentFixture();

  private TestClient client;

  @BeforeEach
  void start() {
    client = fixture.client();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "auto", "ddpg", "dp", "evolution", "greedy", "random", "uniform"})
  void everyAgentSearchesWithinTheBudget(String agent) {
    Session session = succeeded(spec(20).setAgent(agent));
    List<Episode> episodes = client.episodes(session.getId());
    assertEquals(20, episodes.size());
    assertTrue(episodes.stream().allMatch(episode -> episode.getCostRatio() <= 0.5));
    boolean auto = agent.isEmpty() || agent.equals("auto");
    assertEquals(auto ? "auto" : agent, session.getSpec().getAgent());
    assertEquals(auto ? Reward.KL_DIVERGENCE : Reward.ACCURACY, session.getSpec().getReward());
  }

  @Test
  void whatIsMeasuredBeforeTheFirstEpisodeIsToldWhileItIs() {
    fixture.quantizer().holdSensitivities();
    String id = client.create(spec(3).setAgent("dp")).getId();
    List<SessionEvent> events =
        client.watchUntil(
            id,
            0,
            event -> event.getState().hasPreparation() || event.getSnapshot().hasPreparation());
    SessionEvent last = events.get(events.size() - 1);
    Session told = last.hasState() ? last.getState() : last.getSnapshot();
    assertEquals(SessionState.PREPARING, told.getState());
    Preparation now = told.getPreparation();
    int all = FakeQuantizer.NETWORK.size() * 2 * 7; // operands, widths 2..8
    assertEquals(all, now.getToMeasure());
    assertTrue(now.getMeasured() > 0 && now.getMeasured() <= all / 2, now.toString());
    assertEquals(all - now.getMeasured(), now.getSecondsLeft());

    fixture.quantizer().permitSensitivities();
    Session ended = client.awaitEnd(id);
    assertEquals(SessionState.SUCCEEDED, ended.getState(), ended.getError());
    assertFalse(ended.hasPreparation());
  }

  @Test
  void aSessionSaysWhetherItsCostsRestOnWhatNoPublishedFigureChecks() {
    assertFalse(succeeded(spec(3)).getExtrapolated());
    TargetRef unchecked = TargetRef.newBuilder().setName(FakeSimulator.UNCHECKED).build();
    assertTrue(succeeded(spec(3).setTarget(unchecked)).getExtrapolated());
  }

  @Test
  void theRewardIsTheOneThatWasAskedFor() {
    Session divergence = succeeded(spec(3).setReward(Reward.KL_DIVERGENCE));
    for (Episode episode : client.episodes(divergence.getId())) {
      assertEquals(-episode.getAccuracy().getKlDivergence(), episode.getReward(), 1e-12);
    }
    Session crossEntropy = succeeded(spec(3).setReward(Reward.CROSS_ENTROPY));
    for (Episode episode : client.episodes(crossEntropy.getId())) {
      double rise =
          episode.getAccuracy().getCrossEntropy() - crossEntropy.getBaseline().getCrossEntropy();
      assertEquals(-rise, episode.getReward(), 1e-12);
    }
  }

  @Test
  void theTimeLeftIsThatOfEpisodesSideBySide() throws InterruptedException {
    fixture.quantizer().hold();
    long start = System.nanoTime();
    String id = client.create(spec(16).setParallelEpisodes(4)).getId();
    fixture.quantizer().awaitHeld();
    Thread.sleep(400); // what four evaluations side by side take
    fixture.quantizer().permit(4);
    client.awaitEpisodes(id, 4);
    Session session = client.get(id);
    double passed = (System.nanoTime() - start) * 1e-9;
    double left = session.getSecondsLeft();
    double each = 0.4 / 4;
    assertTrue(left >= (16 - 4) * each, left + " s after " + passed + " s");
    assertTrue(left <= (16 - 4) * passed / 4, left + " s after " + passed + " s");
    fixture.quantizer().permit(1_000);
  }

  @Test
  void severalEpisodesAtATimeComeToTheSameEachTime() {
    SessionSpec.Builder spec = spec(16).setParallelEpisodes(3).setLearnWhileEvaluating(true);
    List<String> once = findings(client.episodes(succeeded(spec).getId()));
    assertEquals(once, findings(client.episodes(succeeded(spec).getId())));
    assertTrue(!once.equals(findings(client.episodes(succeeded(spec(16)).getId()))));
  }

  @Test
  void severalBudgetsAreAllMet() {
    Budget size = Budget.newBuilder().setResource(Resource.MODEL_SIZE).setRatio(0.22).build();
    Session session = succeeded(spec(12).addFurtherBudgets(size));
    double floatBytes =
        FakeQuantizer.NETWORK.layers().stream().mapToDouble(l -> l.weights() * 4.0).sum();
    TargetBudget told = session.getBudgets(1);
    assertEquals(Resource.MODEL_SIZE, told.getResource());
    assertEquals(0.22 * told.getReferenceCost(), told.getLimit(), 1e-9);
    assertEquals(session.getBudgetLimit(), session.getBudgets(0).getLimit());
    for (Episode episode : client.episodes(session.getId())) {
      assertTrue(episode.getCostRatio() <= 0.5);
      assertTrue(episode.getCost().getModelSizeBytes() <= told.getLimit());
      assertTrue(episode.getCost().getModelSizeBytes() <= 0.22 * floatBytes);
    }
  }

  @Test
  void aLayerKeepsToTheWidthsThatItWasGiven() {
    String layer = FakeQuantizer.NETWORK.layer(2).name();
    LayerWidths four =
        LayerWidths.newBuilder()
            .setLayer(layer)
            .setWeightBits(BitChoices.newBuilder().addBits(4))
            .setActivationBits(BitChoices.newBuilder().addBits(4).addBits(6))
            .build();
    Session session = succeeded(spec(8).addLayerWidths(four));
    assertEquals(four, session.getSpec().getLayerWidths(0));
    for (Episode episode : client.episodes(session.getId())) {
      assertEquals(4, episode.getPolicy().getLayers(2).getWeightBits());
      assertTrue(Set.of(4, 6).contains(episode.getPolicy().getLayers(2).getActivationBits()));
    }
    LayerWidths unknown = four.toBuilder().setLayer("no such layer").build();
    HaqException e =
        refused(Reason.INVALID_ARGUMENT, () -> client.create(spec(8).addLayerWidths(unknown)));
    assertTrue(e.getMessage().contains("no such layer"), e.getMessage());
    LayerWidths wide = four.toBuilder().setWeightBits(BitChoices.newBuilder().addBits(16)).build();
    refused(Reason.INVALID_BITS, () -> client.create(spec(8).addLayerWidths(wide)));
  }

  @Test
  void theBudgetThatCannotBeMetIsNamed() {
    Budget size = Budget.newBuilder().setResource(Resource.MODEL_SIZE).setRatio(0.01).build();
    HaqException error =
        refused(Reason.BUDGET_INFEASIBLE, () -> client.create(spec(5).addFurtherBudgets(size)));
    assertTrue(error.getMessage().startsWith("model size budget"), error.getMessage());
    assertEquals("MODEL_SIZE", error.details().get("resource"));
    Budget again = Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.7).build();
    refused(Reason.INVALID_ARGUMENT, () -> client.create(spec(5).addFurtherBudgets(again)));
    refused(Reason.INVALID_ARGUMENT, () -> client.create(spec(5).setParallelEpisodes(65)));
  }

  @Test
  void aFrontHoldsWhatNoOtherEpisodeBeats() {
    Session session = succeeded(spec(25).setAgent("random"));
    List<Episode> episodes = client.episodes(session.getId());
    Front front =
        client.stub().getFront(GetFrontRequest.newBuilder().setSessionId(session.getId()).build());
    assertEquals(25, front.getEpisodes());
    assertEquals(
        List.of(Resource.LATENCY, Resource.MODEL_SIZE),
        front.getResourcesList().stream().map(ResourceFront::getResource).toList());
    ResourceFront latency = front.getResources(0);
    assertEquals(
        session.getBest().getReward(), latency.getPoints(latency.getPointsCount() - 1).getReward());
    for (Episode point : latency.getPointsList()) {
      assertTrue(
          episodes.stream()
              .noneMatch(
                  other ->
                      other.getCost().getLatencySeconds() < point.getCost().getLatencySeconds()
                          && other.getReward() >= point.getReward()));
    }
    assertEquals(latency.getPointsList(), latency.getTop1PointsList(), "the reward is accuracy");
    refused(
        Reason.UNKNOWN_SESSION,
        () -> client.stub().getFront(GetFrontRequest.newBuilder().setSessionId("x").build()));
  }

  @Test
  void aFrontIsOfAccuracyTooWhereTheRewardIsAnother() {
    Session session = succeeded(spec(25).setAgent("random").setReward(Reward.KL_DIVERGENCE));
    List<Episode> episodes = client.episodes(session.getId());
    ResourceFront latency =
        client
            .stub()
            .getFront(GetFrontRequest.newBuilder().setSessionId(session.getId()).build())
            .getResources(0);
    double most = episodes.stream().mapToDouble(e -> e.getAccuracy().getTop1()).max().orElseThrow();
    double last = -1;
    for (Episode point : latency.getTop1PointsList()) {
      double top1 = point.getAccuracy().getTop1();
      assertTrue(top1 > last, "it rises");
      last = top1;
      assertTrue(
          episodes.stream()
              .noneMatch(
                  other ->
                      other.getCost().getLatencySeconds() < point.getCost().getLatencySeconds()
                          && other.getAccuracy().getTop1() >= top1));
    }
    assertEquals(most, last);
  }

  private Session succeeded(SessionSpec.Builder spec) {
    Session session = client.awaitEnd(client.create(spec).getId());
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    return session;
  }
}
