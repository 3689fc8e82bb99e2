package dev.haq.agent;

import static dev.haq.agent.TestClient.episodeNumbers;
import static dev.haq.agent.TestClient.findings;
import static dev.haq.agent.TestClient.refused;
import static dev.haq.agent.TestClient.spec;
import static dev.haq.agent.TestClient.states;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CancelSessionRequest;
import dev.haq.proto.agent.v1.EarlyEnds;
import dev.haq.proto.agent.v1.EndReason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.ExtendSessionRequest;
import dev.haq.proto.agent.v1.GetSessionRequest;
import dev.haq.proto.agent.v1.PauseSessionRequest;
import dev.haq.proto.agent.v1.ResumeSessionRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.agent.v1.StopSessionRequest;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Budget;
import dev.haq.proto.model.v1.DataSelection.Split;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Resource;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sessions over real gRPC, with fake services behind. */
final class AgentServiceTest {
  @RegisterExtension static final AgentFixture fixture = new AgentFixture();

  private FakeQuantizer quantizer;
  private TestClient client;

  @BeforeEach
  void start() {
    quantizer = fixture.quantizer();
    client = fixture.client();
  }

  @Test
  void aWatcherSeesEveryEpisodeOnceAndInOrder() {
    quantizer.hold();
    Session created = client.create(spec(40));
    assertFalse(created.getState() == SessionState.QUEUED, "there was a place for it");
    quantizer.permit(1_000);
    List<SessionEvent> events = client.watch(created.getId(), 0);

    assertTrue(events.get(0).hasSnapshot());
    assertEquals(IntStream.rangeClosed(1, 40).boxed().toList(), episodeNumbers(events));
    SessionEvent last = events.get(events.size() - 1);
    assertEquals(SessionState.SUCCEEDED, last.getState().getState());
    assertEquals(EndReason.EPISODES, last.getState().getEndReason());
    assertEquals(40, last.getState().getEpisodesDone());
  }

  @Test
  void aWatcherMayStartAtAnyEpisodeWhileItRunsOrAfter() {
    quantizer.hold();
    String id = client.create(spec(30)).getId();
    quantizer.permit(20);
    client.awaitEpisodes(id, 20);
    List<SessionEvent> running =
        client.watchUntil(id, 17, event -> event.getEpisode().getNumber() == 20);
    assertEquals(List.of(18, 19, 20), episodeNumbers(running));
    quantizer.permit(1_000);
    client.awaitEnd(id);
    List<SessionEvent> ended = client.watch(id, 17);
    assertEquals(IntStream.rangeClosed(18, 30).boxed().toList(), episodeNumbers(ended));
    assertEquals(List.of(SessionState.SUCCEEDED), states(ended));
  }

  @Test
  void aSearchFindsTheBestItHasSeenWithinItsBudget() {
    String id = client.create(spec(30)).getId();
    Session session = client.awaitEnd(id);
    List<Episode> episodes = client.episodes(id);
    double best = Double.NEGATIVE_INFINITY;
    for (Episode episode : episodes) {
      assertTrue(episode.getCostRatio() <= 0.5, "cost ratio " + episode.getCostRatio());
      assertEquals(episode.getReward() > best, episode.getImproved());
      best = Math.max(best, episode.getReward());
      assertEquals(best, episode.getBestReward());
      assertEquals(episode.getNumber() <= 3, episode.getWarmup());
      double reward = 0.1 * (episode.getAccuracy().getTop1() - 90.0);
      assertEquals(reward, episode.getReward(), 1e-12);
    }
    assertEquals(best, session.getBest().getReward());
    assertEquals(90.0, session.getBaseline().getTop1());
    assertEquals(session.getReferenceCost() * 0.5, session.getBudgetLimit());
    assertEquals(FakeQuantizer.MODEL, session.getBest().getPolicy().getModel());
    LayerBits first = session.getBest().getPolicy().getLayers(0);
    assertEquals("/features/0/Conv", first.getName());
    assertEquals(8, first.getWeightBits());
    assertEquals(8, first.getActivationBits());
  }

  @Test
  void whatEndsASessionIsToldAsItWasLastSaid() {
    quantizer.hold();
    SessionSpec.Builder spec =
        spec(100_000).setEarlyEnds(EarlyEnds.newBuilder().setWallSeconds(60));
    String id = client.create(spec).getId();
    quantizer.permit(20);
    client.awaitEpisodes(id, 20);
    Session running = client.get(id);
    assertEquals(60, running.getEarlyEnds().getWallSeconds());
    assertTrue(running.getSecondsLeft() > 0 && running.getSecondsLeft() <= 60, running.toString());
    Session extended =
        client
            .stub()
            .extendSession(ExtendSessionRequest.newBuilder().setId(id).setEpisodes(99_999).build());
    assertEquals(99_999, extended.getEpisodesTotal());
    assertFalse(extended.getEarlyEnds().hasWallSeconds());
    client.stub().cancelSession(CancelSessionRequest.newBuilder().setId(id).build());
    quantizer.permit(1_000);
  }

  @Test
  void theSameSeedGivesTheSameEpisodesAndAnotherOthers() {
    List<String> once = findings(finished(client.create(spec(12))));
    List<String> again = findings(finished(client.create(spec(12))));
    List<String> other = findings(finished(client.create(spec(12).setSeed(8))));
    assertEquals(once, again);
    assertFalse(once.equals(other));
  }

  @Test
  void sessionsSideBySideDoNotDisturbEachOther() {
    List<String> alone = findings(finished(client.create(spec(25))));
    quantizer.hold();
    Session first = client.create(spec(25));
    Session second = client.create(spec(25));
    quantizer.permit(1_000);
    assertEquals(alone, findings(finished(first)));
    assertEquals(alone, findings(finished(second)));
  }

  @Test
  void aModelSizeBudgetLeavesActivationsFloat() {
    Session session =
        client.create(
            spec(5).setBudget(Budget.newBuilder().setResource(Resource.MODEL_SIZE).setRatio(0.25)));
    for (Episode episode : finished(session)) {
      assertTrue(episode.getCostRatio() <= 0.25);
      assertFalse(episode.getPolicy().getLayers(2).hasActivationBits());
      assertTrue(episode.getPolicy().getLayers(2).hasWeightBits());
    }
  }

  @Test
  void otherAgentsSearchToo() {
    for (String agent : List.of("random", "uniform")) {
      assertEquals(9, finished(client.create(spec(9).setAgent(agent))).size());
    }
  }

  @Test
  void imagesHeldOutOfTheSearchAreNotLookedAt() {
    client.awaitEnd(client.create(spec(3)).getId());
    assertTrue(quantizer.splits().stream().allMatch(split -> split == Split.SEARCH));
  }

  @Test
  void aPauseComesAfterTheEpisodeUnderWayAndResumingLosesNothing() {
    List<String> undisturbed = findings(finished(client.create(spec(15))));
    quantizer.hold();
    String id = client.create(spec(15)).getId();
    quantizer.permit(5);
    client.awaitEpisodes(id, 5);
    quantizer.awaitHeld();

    Session asked = client.stub().pauseSession(pause(id));
    assertEquals(SessionState.RUNNING, asked.getState());
    assertTrue(asked.getPauseRequested());
    quantizer.permit(1);
    Session paused = client.await(id, SessionState.PAUSED);
    assertEquals(6, paused.getEpisodesDone());
    assertFalse(paused.getPauseRequested());
    assertFalse(paused.hasSecondsLeft());

    quantizer.permit(1_000);
    client.stub().resumeSession(resume(id));
    assertEquals(SessionState.SUCCEEDED, client.awaitEnd(id).getState());
    assertEquals(undisturbed, findings(client.episodes(id)));
  }

  @Test
  void resumingBeforeThePauseHasComeWithdrawsIt() {
    quantizer.hold();
    String id = client.create(spec(5)).getId();
    quantizer.permit(1);
    client.awaitEpisodes(id, 1);
    quantizer.awaitHeld();
    client.stub().pauseSession(pause(id));
    assertFalse(client.stub().resumeSession(resume(id)).getPauseRequested());
    quantizer.permit(1_000);
    assertEquals(SessionState.SUCCEEDED, client.awaitEnd(id).getState());
  }

  @Test
  void stoppingKeepsTheBestPolicy() {
    quantizer.hold();
    String id = client.create(spec(50)).getId();
    quantizer.permit(6);
    client.awaitEpisodes(id, 6);
    quantizer.awaitHeld();
    Session stopping = client.stub().stopSession(StopSessionRequest.newBuilder().setId(id).build());
    assertEquals(SessionState.STOPPING, stopping.getState());
    quantizer.permit(1_000);
    Session stopped = client.awaitEnd(id);
    assertEquals(SessionState.STOPPED, stopped.getState());
    assertEquals(EndReason.USER, stopped.getEndReason());
    assertEquals(7, stopped.getEpisodesDone());
    assertTrue(stopped.hasBest());
  }

  @Test
  void cancellingDropsTheEpisodeUnderWay() {
    quantizer.hold();
    String id = client.create(spec(50)).getId();
    quantizer.permit(4);
    client.awaitEpisodes(id, 4);
    Session cancelled =
        client.stub().cancelSession(CancelSessionRequest.newBuilder().setId(id).build());
    assertEquals(SessionState.CANCELLED, cancelled.getState());
    assertEquals(4, client.awaitEnd(id).getEpisodesDone());
    assertEquals(4, client.episodes(id).size());
    // Its place is free again.
    quantizer.permit(1_000);
    assertEquals(3, finished(client.create(spec(3))).size());
  }

  @Test
  void whatHasEndedCannotBeChanged() {
    String id = client.create(spec(2)).getId();
    client.awaitEnd(id);
    for (HaqException error :
        List.of(
            refused(Reason.ILLEGAL_STATE, () -> client.stub().pauseSession(pause(id))),
            refused(Reason.ILLEGAL_STATE, () -> client.stub().resumeSession(resume(id))),
            refused(
                Reason.ILLEGAL_STATE,
                () -> client.stub().stopSession(StopSessionRequest.newBuilder().setId(id).build())),
            refused(
                Reason.ILLEGAL_STATE,
                () ->
                    client
                        .stub()
                        .cancelSession(CancelSessionRequest.newBuilder().setId(id).build())))) {
      assertTrue(error.getMessage().contains("SUCCEEDED"), error.getMessage());
    }
  }

  @Test
  void sessionsPastTheLimitWaitInLine() {
    quantizer.hold();
    Session first = client.create(spec(3));
    Session second = client.create(spec(3));
    Session third = client.create(spec(3));
    client.await(first.getId(), SessionState.RUNNING);
    client.await(second.getId(), SessionState.RUNNING);
    assertEquals(SessionState.QUEUED, client.get(third.getId()).getState());
    quantizer.permit(1_000);
    for (Session session : List.of(first, second, third)) {
      assertEquals(SessionState.SUCCEEDED, client.awaitEnd(session.getId()).getState());
    }
  }

  @Test
  void aQuantizerThatIsAwayForAMomentIsWaitedFor() {
    quantizer.failNext(7); // more than the channel's own attempts
    Session session = client.awaitEnd(client.create(spec(2)).getId());
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
  }

  @Test
  void aSimulatorThatContradictsItsTableFailsTheSession() {
    Session session =
        client.awaitEnd(
            client
                .create(
                    spec(2).setTarget(TargetRef.newBuilder().setName(FakeSimulator.LIAR).build()))
                .getId());
    assertEquals(SessionState.FAILED, session.getState());
    assertEquals(EndReason.ERROR, session.getEndReason());
    assertTrue(session.getError().startsWith("internal error"), session.getError());
    assertEquals(1, session.getError().lines().count());
  }

  @Test
  void anUnknownSessionIsRefusedByEveryCall() {
    refused(
        Reason.UNKNOWN_SESSION,
        () -> client.stub().getSession(GetSessionRequest.newBuilder().setId("x").build()));
    refused(Reason.UNKNOWN_SESSION, () -> client.stub().pauseSession(pause("x")));
    refused(Reason.UNKNOWN_SESSION, () -> client.stub().resumeSession(resume("x")));
    refused(Reason.UNKNOWN_SESSION, () -> client.episodes("x"));
    refused(Reason.UNKNOWN_SESSION, () -> client.watch("x", 0));
  }

  private List<Episode> finished(Session session) {
    Session ended = client.awaitEnd(session.getId());
    assertEquals(SessionState.SUCCEEDED, ended.getState(), ended.getError());
    return client.episodes(session.getId());
  }

  private static PauseSessionRequest pause(String id) {
    return PauseSessionRequest.newBuilder().setId(id).build();
  }

  private static ResumeSessionRequest resume(String id) {
    return ResumeSessionRequest.newBuilder().setId(id).build();
  }
}
