package dev.haq.agent;

import static dev.haq.agent.TestClient.findings;
import static dev.haq.agent.TestClient.refused;
import static dev.haq.agent.TestClient.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CancelSessionRequest;
import dev.haq.proto.agent.v1.EarlyEnds;
import dev.haq.proto.agent.v1.EndReason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.EpisodeCost;
import dev.haq.proto.agent.v1.Front;
import dev.haq.proto.agent.v1.FurtherTarget;
import dev.haq.proto.agent.v1.GetFrontRequest;
import dev.haq.proto.agent.v1.GetTransferRequest;
import dev.haq.proto.agent.v1.PauseSessionRequest;
import dev.haq.proto.agent.v1.ResumeSessionRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.agent.v1.TargetResult;
import dev.haq.proto.agent.v1.Transfer;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.Resource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several targets in one session, over real gRPC, with fake services behind. */
final class FleetTest {
  private static final String FLEET = "fleet";

  @TempDir static Path directory;

  @RegisterExtension
  static final AgentFixture fixture =
      new AgentFixture(() -> "jdbc:h2:file:" + directory.resolve("sessions"));

  private FakeQuantizer quantizer;
  private TestClient client;

  @BeforeEach
  void start() {
    quantizer = fixture.quantizer();
    client = fixture.client();
  }

  private void reopen() {
    fixture.open();
    client = fixture.client();
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "ddpg", "dp", "evolution", "greedy", "random", "uniform"})
  void everyTargetAndTheFleetGetTheBestThatTheLogHolds(String agent) {
    Session session = succeeded(two(24).setAgent(agent));
    List<Episode> log = client.episodes(session.getId());
    assertEquals(24, log.size());
    assertEquals(List.of(FakeSimulator.TARGET, FakeSimulator.MEMORY), names(session));
    for (int i = 0; i < 2; i++) {
      int target = i;
      TargetResult result = session.getTargets(i);
      Episode best = best(log.stream().filter(e -> e.getTargetCosts(target).getEligible()));
      assertEquals(best.getNumber(), result.getBest().getNumber());
      assertEquals(best.getTargetCosts(i).getCost(), result.getBest().getCost());
      double limit = result.getBudgets(0).getLimit();
      assertTrue(result.getBest().getCost().getLatencySeconds() <= limit);
      for (Episode episode : log) {
        double seconds = episode.getTargetCosts(i).getCost().getLatencySeconds();
        assertEquals(seconds <= limit, episode.getTargetCosts(i).getEligible());
        assertEquals(
            seconds / result.getBudgets(0).getReferenceCost(),
            episode.getTargetCosts(i).getCostRatio(),
            1e-12);
      }
    }
    assertEquals(session.getBest(), session.getTargets(0).getBest());
    assertFleet(session, log);
  }

  /** By its definition: of what is eligible everywhere, the least of the largest regrets. */
  private static void assertFleet(Session session, List<Episode> log) {
    Episode fleet = null;
    double least = Double.POSITIVE_INFINITY;
    for (Episode episode : log) {
      double largest = 0;
      for (TargetResult target : session.getTargetsList()) {
        largest = Math.max(largest, target.getBest().getReward() - episode.getReward());
      }
      boolean everywhere = episode.getTargetCostsList().stream().allMatch(EpisodeCost::getEligible);
      if (everywhere && largest < least) {
        least = largest;
        fleet = episode;
      }
    }
    assertEquals(fleet, session.getFleet().getBest());
    for (int i = 0; i < session.getTargetsCount(); i++) {
      double regret = session.getTargets(i).getBest().getReward() - fleet.getReward();
      assertEquals(regret, session.getFleet().getRegrets(i));
      assertTrue(regret >= 0);
    }
  }

  @Test
  void episodesAreProposedForEachTargetInTurnAndThenForAll() {
    List<Episode> log = client.episodes(succeeded(two(9)).getId());
    List<String> turns = List.of(FakeSimulator.TARGET, FakeSimulator.MEMORY, FLEET);
    for (Episode episode : log) {
      int aim = (episode.getNumber() - 1) % 3;
      assertEquals(turns.get(aim), episode.getProposedFor());
      assertTrue(aim == 2 || episode.getTargetCosts(aim).getEligible());
      assertTrue(
          aim < 2 || episode.getTargetCostsList().stream().allMatch(EpisodeCost::getEligible));
    }
    assertEquals(List.of(FakeSimulator.TARGET), log.get(0).getImprovedForList().subList(0, 1));
  }

  @Test
  void aPolicyIsEvaluatedOnceAndSensitivitiesAreMeasuredOnce() {
    int evaluated = quantizer.evaluations();
    int measured = quantizer.measurements();
    Session session = succeeded(two(40).setAgent("auto"));
    List<Episode> log = client.episodes(session.getId());
    long distinct = log.stream().map(Episode::getPolicy).distinct().count();
    assertTrue(distinct < log.size(), "no policy came twice: the test shows nothing");
    assertEquals(distinct, quantizer.evaluations() - evaluated);
    assertEquals(1, quantizer.measurements() - measured);
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "ddpg", "evolution", "greedy"})
  void aSearchThatIsCutShortGoesOnAsItWouldHave(String agent) {
    for (int parallel : new int[] {1, 3}) {
      SessionSpec.Builder spec =
          two(20)
              .setAgent(agent)
              .setParallelEpisodes(parallel)
              .setLearnWhileEvaluating(parallel > 1);
      Session undisturbed = succeeded(spec);

      quantizer.hold();
      String id = client.create(spec).getId();
      quantizer.permit(7);
      client.awaitEpisodes(id, parallel == 1 ? 5 : 3);
      fixture.close(); // with episodes under way
      quantizer.permit(1_000);
      reopen();
      Session resumed = client.awaitEnd(id);
      assertEquals(SessionState.SUCCEEDED, resumed.getState(), resumed.getError());
      assertEquals(
          findings(client.episodes(undisturbed.getId())), findings(client.episodes(id)), agent);
      assertEquals(bests(undisturbed), bests(resumed));
    }
  }

  @Test
  void pausedAndResumedItComesToTheSame() {
    Session undisturbed = succeeded(two(14));
    quantizer.hold();
    String id = client.create(two(14)).getId();
    quantizer.permit(4);
    client.awaitEpisodes(id, 4);
    quantizer.awaitHeld();
    client.stub().pauseSession(PauseSessionRequest.newBuilder().setId(id).build());
    quantizer.permit(1_000);
    client.await(id, SessionState.PAUSED);
    client.stub().resumeSession(ResumeSessionRequest.newBuilder().setId(id).build());
    assertEquals(bests(undisturbed), bests(client.awaitEnd(id)));
    assertEquals(findings(client.episodes(undisturbed.getId())), findings(client.episodes(id)));
  }

  @Test
  void whatWasFoundSurvivesACancelAndARestart() {
    quantizer.hold();
    String id = client.create(two(50)).getId();
    quantizer.permit(7);
    client.awaitEpisodes(id, 7);
    client.stub().cancelSession(CancelSessionRequest.newBuilder().setId(id).build());
    Session cancelled = client.awaitEnd(id);
    assertFleet(cancelled, client.episodes(id));
    fixture.close();
    reopen();
    assertEquals(cancelled, client.get(id));
  }

  @Test
  void aSessionWithOneTargetHasNoTraceOfOthers() {
    Session session = succeeded(spec(4));
    assertEquals(0, session.getTargetsCount());
    assertFalse(session.hasFleet());
    for (Episode episode : client.episodes(session.getId())) {
      assertEquals("", episode.getProposedFor());
      assertEquals(0, episode.getTargetCostsCount() + episode.getImprovedForCount());
    }
  }

  @Test
  void theFirstTargetsAgentBeginsAsItWouldAlone() {
    Episode alone = client.episodes(succeeded(spec(1)).getId()).get(0);
    Episode first = client.episodes(succeeded(two(3)).getId()).get(0);
    assertEquals(TestClient.finding(alone), TestClient.finding(first));
  }

  @Test
  void targetsWithoutACommonPolicyAreSearchedSideBySide() {
    Session session =
        succeeded(
            spec(12)
                .setAgent("auto")
                .setTarget(target(FakeSimulator.EVEN))
                .addFurtherTargets(further(FakeSimulator.ODD)));
    assertTrue(
        session.getFleet().getInfeasible().contains("[3, 5, 7]"), session.getFleet().toString());
    assertFalse(session.getFleet().hasBest());
    List<Episode> log = client.episodes(session.getId());
    for (Episode episode : log) {
      int own = (episode.getNumber() - 1) % 2;
      assertTrue(episode.getTargetCosts(own).getEligible());
      assertFalse(episode.getTargetCosts(1 - own).hasCost());
      assertEquals(own == 0, episode.hasCost());
    }
    assertTrue(session.getTargetsList().stream().allMatch(TargetResult::hasBest));
    assertEquals(1, session.getBest().getNumber() % 2);
  }

  @Test
  void aTargetWithASizeBudgetAloneKeepsFloatActivationsAndTakesWhatOthersQuantized() {
    Budget size = Budget.newBuilder().setResource(Resource.MODEL_SIZE).setRatio(0.23).build();
    Session session =
        succeeded(
            spec(12).addFurtherTargets(further(FakeSimulator.MEMORY).toBuilder().addBudgets(size)));
    List<Episode> log = client.episodes(session.getId());
    for (Episode episode : log) {
      boolean forSize = episode.getProposedFor().equals(FakeSimulator.MEMORY);
      assertEquals(!forSize, episode.getPolicy().getLayers(2).hasActivationBits());
      assertEquals(!forSize, episode.hasCost());
    }
    assertTrue(session.getFleet().hasBest());
    assertFleet(session, log);
  }

  @Test
  void eachTargetHasItsBudgets() {
    Budget tight = Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.4).build();
    Budget size = Budget.newBuilder().setResource(Resource.MODEL_SIZE).setRatio(0.23).build();
    Session session =
        succeeded(
            spec(6)
                .addFurtherTargets(
                    further(FakeSimulator.MEMORY).toBuilder().addBudgets(tight).addBudgets(size)));
    assertEquals(1, session.getTargets(0).getBudgetsCount());
    var budgets = session.getTargets(1).getBudgetsList();
    assertEquals(
        List.of(Resource.LATENCY, Resource.MODEL_SIZE),
        budgets.stream().map(b -> b.getResource()).toList());
    Episode best = session.getTargets(1).getBest();
    assertTrue(best.getCostRatio() <= 0.4);
    assertTrue(best.getCost().getModelSizeBytes() <= budgets.get(1).getLimit());
    assertEquals(0.4, budgets.get(0).getLimit() / budgets.get(0).getReferenceCost(), 1e-12);
  }

  @Test
  void aSearchEndsWhenEveryTargetIsAsGoodAsWasAskedFor() {
    Session session =
        succeeded(two(60).setAgent("auto").setEarlyEnds(EarlyEnds.newBuilder().setTop1(20)));
    assertEquals(EndReason.GOAL, session.getEndReason());
    for (TargetResult target : session.getTargetsList()) {
      assertTrue(target.getBest().getAccuracy().getTop1() >= 20);
    }
    List<Episode> log = client.episodes(session.getId());
    for (Episode before : log.subList(0, log.size() - 1)) {
      assertFalse(
          before.getAccuracy().getTop1() >= 20
              && before.getTargetCostsList().stream().allMatch(EpisodeCost::getEligible));
    }
  }

  @Test
  void whatIsWrongWithATargetIsSaidWithItsName() {
    Budget tiny = Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.01).build();
    HaqException infeasible =
        refused(
            Reason.BUDGET_INFEASIBLE,
            () ->
                client.create(
                    spec(5)
                        .addFurtherTargets(
                            further(FakeSimulator.MEMORY).toBuilder().addBudgets(tiny))));
    assertTrue(
        infeasible.getMessage().startsWith("latency budget of memory"), infeasible.getMessage());
    assertEquals(FakeSimulator.MEMORY, infeasible.details().get("target"));

    Budget energy = Budget.newBuilder().setResource(Resource.ENERGY).setRatio(0.5).build();
    HaqException unmodelled =
        refused(
            Reason.RESOURCE_NOT_MODELLED,
            () ->
                client.create(
                    spec(5)
                        .addFurtherTargets(
                            further(FakeSimulator.MEMORY).toBuilder().addBudgets(energy))));
    assertTrue(unmodelled.getMessage().startsWith("target memory: "), unmodelled.getMessage());
    HaqException unknown =
        refused(
            Reason.UNKNOWN_TARGET, () -> client.create(spec(5).addFurtherTargets(further("x"))));
    assertTrue(unknown.getMessage().contains("'x'"), unknown.getMessage());
    assertEquals("x", unknown.details().get("target"));
  }

  @Test
  void targetsThatMeanNothingAreRefused() {
    HaqException twice =
        refused(
            Reason.INVALID_ARGUMENT,
            () -> client.create(spec(5).addFurtherTargets(further(FakeSimulator.TARGET))));
    assertTrue(twice.getMessage().contains(" fake is given twice"), twice.getMessage());
    HaqException missing =
        refused(
            Reason.INVALID_ARGUMENT,
            () -> client.create(spec(5).addFurtherTargets(FurtherTarget.getDefaultInstance())));
    assertTrue(
        missing.getMessage().startsWith("spec.further_targets[0].target"), missing.getMessage());
    Budget absolute = Budget.newBuilder().setResource(Resource.LATENCY).setAbsolute(1).build();
    HaqException elsewhere =
        refused(Reason.INVALID_ARGUMENT, () -> client.create(two(5).setBudget(absolute)));
    assertTrue(elsewhere.getMessage().contains("budgets of its own"), elsewhere.getMessage());
    Budget again = Budget.newBuilder().setResource(Resource.LATENCY).setRatio(0.5).build();
    refused(
        Reason.INVALID_ARGUMENT,
        () ->
            client.create(
                spec(5)
                    .addFurtherTargets(
                        further(FakeSimulator.MEMORY).toBuilder()
                            .addBudgets(again)
                            .addBudgets(again))));
    SessionSpec.Builder many = spec(5);
    for (int i = 1; i <= 16; i++) {
      many.addFurtherTargets(
          FurtherTarget.newBuilder()
              .setTarget(target(FakeSimulator.MEMORY).toBuilder().setBatch(i)));
    }
    refused(Reason.INVALID_ARGUMENT, () -> client.create(many));
  }

  @Test
  void agentsWhoseCheckpointsAreTooLargeTogetherAreRefused() {
    SessionSpec.Builder large = two(5);
    large.getDdpgBuilder().setHidden1(4096).setHidden2(600);
    Session alone = client.create(large.clone().clearFurtherTargets());
    client.stub().cancelSession(CancelSessionRequest.newBuilder().setId(alone.getId()).build());
    HaqException error = refused(Reason.INVALID_ARGUMENT, () -> client.create(large));
    assertTrue(error.getMessage().contains("8 + 8 + 8"), error.getMessage());
  }

  @Test
  void aTargetInAnotherGuiseHasANumber() {
    TargetRef batch = target(FakeSimulator.TARGET).toBuilder().setBatch(2).build();
    Session session =
        client.create(spec(2).addFurtherTargets(FurtherTarget.newBuilder().setTarget(batch)));
    assertEquals(List.of("fake", "fake-2"), names(session));
  }

  @Test
  void frontsAreOfEachTarget() {
    Session session = succeeded(two(15).setAgent("random"));
    Front front =
        client.stub().getFront(GetFrontRequest.newBuilder().setSessionId(session.getId()).build());
    assertEquals(FakeSimulator.MEMORY, front.getFurtherTargets(0).getTarget());
    List<Episode> log = client.episodes(session.getId());
    for (Episode point : front.getFurtherTargets(0).getResources(0).getPointsList()) {
      double seconds = point.getCost().getLatencySeconds();
      assertEquals(
          log.get(point.getNumber() - 1).getTargetCosts(1).getCost().getLatencySeconds(), seconds);
      assertTrue(
          log.stream()
              .noneMatch(
                  other ->
                      other.getTargetCosts(1).getCost().getLatencySeconds() < seconds
                          && other.getReward() >= point.getReward()));
    }
  }

  @Test
  void theWarmupIsSharedByTheAgentsOfTwoTargetsAndTheFleet() {
    Session session = succeeded(two(9).clearDdpg().setAgent("random"));
    assertEquals(20 / 3, session.getSpec().getDdpg().getWarmupEpisodes());
    assertEquals(20, client.create(spec(1).clearDdpg()).getSpec().getDdpg().getWarmupEpisodes());
  }

  @Test
  void transferHasARowForEachTargetOfASession() {
    Session session = succeeded(two(9));
    Transfer transfer =
        client
            .stub()
            .getTransfer(GetTransferRequest.newBuilder().addSessionIds(session.getId()).build());
    List<String> rows = new ArrayList<>(names(session));
    rows.add("fleet");
    assertEquals(rows, transfer.getRowsList().stream().map(row -> row.getTarget()).toList());
    assertEquals(session.getFleet().getBest().getPolicy(), transfer.getRows(2).getPolicy());
    assertEquals(2, transfer.getRows(2).getCellsCount());
    assertTrue(transfer.getRows(2).getCellsList().stream().allMatch(c -> c.getWithinBudget()));
    for (int i = 0; i < 2; i++) {
      assertEquals(session.getTargets(i).getBest().getPolicy(), transfer.getRows(i).getPolicy());
      assertEquals(0, transfer.getRows(i).getCells(i).getRegret());
      assertTrue(transfer.getRows(i).getCells(i).getWithinBudget());
    }
  }

  private static List<String> names(Session session) {
    return session.getTargetsList().stream().map(TargetResult::getTarget).toList();
  }

  /** Without times. */
  private static List<String> bests(Session session) {
    List<String> bests = new ArrayList<>();
    session.getTargetsList().forEach(target -> bests.add(TestClient.finding(target.getBest())));
    bests.add(TestClient.finding(session.getFleet().getBest()));
    bests.add(session.getFleet().getRegretsList().toString());
    return bests;
  }

  private static Episode best(java.util.stream.Stream<Episode> eligible) {
    Optional<Episode> best =
        eligible.max(
            Comparator.comparingDouble(Episode::getReward)
                .thenComparing(Episode::getNumber, Comparator.reverseOrder()));
    return best.orElseThrow();
  }

  private static SessionSpec.Builder two(int episodes) {
    return spec(episodes).addFurtherTargets(further(FakeSimulator.MEMORY));
  }

  private static TargetRef target(String name) {
    return TargetRef.newBuilder().setName(name).build();
  }

  private static FurtherTarget further(String name) {
    return FurtherTarget.newBuilder().setTarget(target(name)).build();
  }

  private Session succeeded(SessionSpec.Builder spec) {
    Session session = client.awaitEnd(client.create(spec).getId());
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    return session;
  }
}
