package dev.haq.agent;

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
import dev.haq.proto.agent.v1.ExtendSessionRequest;
import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.proto.agent.v1.PauseSessionRequest;
import dev.haq.proto.agent.v1.ResumeSessionRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.agent.v1.StopSessionRequest;
import dev.haq.proto.agent.v1.Tuned;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.DataSelection.Split;
import dev.haq.proto.model.v1.FineTuning;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.wire.BestPolicy;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Fine-tuning at the end of a session, over real gRPC, with fake services behind. */
final class FinalFineTuningTest {
  @RegisterExtension final AgentFixture fixture = new AgentFixture();

  private FakeQuantizer quantizer;
  private TestClient client;

  @BeforeEach
  void start() {
    quantizer = fixture.quantizer();
    client = fixture.client();
  }

  static SessionSpec.Builder tuned(int episodes, int epochs) {
    return spec(episodes)
        .setFinalFineTuning(
            FineTuning.newBuilder()
                .setData(DataSelection.newBuilder().setDataset(FakeQuantizer.DATASET))
                .setEpochs(epochs));
  }

  /** All events of a session that goes on once it is watched. */
  private List<SessionEvent> watched(SessionSpec.Builder spec) {
    quantizer.hold();
    String id = client.create(spec).getId();
    return client.watchUntil(
        id,
        0,
        event -> {
          if (event.hasSnapshot()) {
            quantizer.permit(1_000);
          }
          return false;
        });
  }

  @Test
  void theBestPolicyIsTrainedAndJudgedOnImagesThatNoSearchSaw() {
    List<SessionEvent> events = watched(tuned(5, 3));
    String id = events.get(0).getSnapshot().getId();
    List<SessionState> states = TestClient.states(events);
    assertEquals(
        List.of(SessionState.FINE_TUNING, SessionState.SUCCEEDED),
        states.subList(states.size() - 2, states.size()));
    Session session = client.get(id);
    assertEquals(EndReason.EPISODES, session.getEndReason());
    Tuned tuned = session.getTuned();
    assertEquals(session.getBest().getNumber(), tuned.getEpisode());
    assertTrue(tuned.getModel().startsWith(FakeQuantizer.TUNED), tuned.getModel());
    assertEquals(3, tuned.getEpochs());
    assertEquals("haq@1", tuned.getRecipe().getName());
    assertEquals(session.getBest().getAccuracy(), tuned.getBefore());
    assertTrue(tuned.getAfter().getTop1() > tuned.getBefore().getTop1());
    assertTrue(tuned.getHeldOutAfter().getTop1() > tuned.getHeldOutBefore().getTop1());
    assertEquals(3, quantizer.epochs());
    assertEquals(1, quantizer.splits().stream().filter(Split.HELD_OUT::equals).count());
  }

  @Test
  void ofSeveralTargetsTheBestPolicyOfEachIsTrainedAndTheFleetsEachOnce() {
    SessionSpec.Builder spec = tuned(24, 2);
    spec.addFurtherTargetsBuilder().getTargetBuilder().setName(FakeSimulator.MEMORY);
    List<SessionEvent> events = watched(spec);
    String id = events.get(0).getSnapshot().getId();
    Session session = client.get(id);
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    List<BestPolicy> bests = BestPolicy.all(session);
    assertEquals(
        List.of(FakeSimulator.TARGET, FakeSimulator.MEMORY, BestPolicy.FLEET),
        bests.stream().map(BestPolicy::target).toList());
    for (BestPolicy best : bests) {
      Tuned tuned = best.tuned().orElseThrow();
      assertEquals(best.episode().getNumber(), tuned.getEpisode());
      assertEquals(best.episode().getAccuracy(), tuned.getBefore());
    }
    assertEquals(session.getTuned(), session.getTargets(0).getTuned());
    long policies = bests.stream().map(b -> b.episode().getNumber()).distinct().count();
    assertTrue(policies > 1, "one policy is the best everywhere: the test shows little");
    assertEquals(2 * policies, quantizer.epochs());
    long told =
        events.stream()
            .filter(e -> e.hasState() && e.getState().getState() == SessionState.FINE_TUNING)
            .map(e -> BestPolicy.all(e.getState()).stream().filter(b -> b.tuned().isPresent()))
            .filter(tuned -> tuned.findAny().isPresent())
            .count();
    assertTrue(told > 0, "each outcome is told when it is there");
  }

  @Test
  void aQuantizerThatIsBusyForLongerThanThePatienceIsWaitedFor() {
    fixture.close();
    fixture.openWithoutPatience();
    client = fixture.client();
    quantizer.holdEpochs();
    quantizer.busyNext(2);
    String id = client.create(tuned(2, 1)).getId();
    quantizer.awaitEpochHeld();
    // Once resumed, it asks for the training anew, this time a busy quantizer.
    client.stub().pauseSession(PauseSessionRequest.newBuilder().setId(id).build());
    quantizer.busyNext(2);
    client.stub().resumeSession(ResumeSessionRequest.newBuilder().setId(id).build());
    quantizer.permitEpochs(2);
    Session session = client.awaitEnd(id);
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
  }

  @Test
  void itsOwnImagesAreTrainedOnOnlyWhereTheyAreNotHeldOut() {
    Session session = client.awaitEnd(client.create(tuned(2, 1)).getId());
    assertEquals(Split.SEARCH, session.getSpec().getFinalFineTuning().getData().getSplit());
    SessionSpec.Builder heldOut = tuned(2, 1);
    heldOut.getFinalFineTuningBuilder().getDataBuilder().setSplit(Split.HELD_OUT);
    HaqException error = refused(Reason.INVALID_ARGUMENT, () -> client.create(heldOut));
    assertTrue(error.getMessage().startsWith("spec.final_fine_tuning.data"), error.getMessage());
  }

  @Test
  void howFarItIsCanBeWatchedAndAskedFor() {
    quantizer.holdEpochs();
    String id = client.create(tuned(2, 3)).getId();
    quantizer.permitEpochs(1);
    List<SessionEvent> events = client.watchUntil(id, 2, SessionEvent::hasTuning);
    assertEquals(1, events.get(events.size() - 1).getTuning().getEpoch());
    assertEquals(3, client.get(id).getTuning().getEpochs());
    // Who comes later is told at once.
    assertTrue(client.watchUntil(id, 2, SessionEvent::hasTuning).size() <= 2);
    quantizer.permitEpochs(2);
    assertFalse(client.awaitEnd(id).hasTuning());
  }

  @Test
  void pausedItGoesOnFromItsLastEpoch() {
    String model = client.awaitEnd(client.create(tuned(4, 3)).getId()).getTuned().getModel();
    assertEquals(3, quantizer.epochs());
    quantizer.holdEpochs();
    // Another seed for the order of the images: a training of its own.
    SessionSpec.Builder spec = tuned(4, 3);
    spec.getFinalFineTuningBuilder().setSeed(9);
    String id = client.create(spec).getId();
    quantizer.permitEpochs(2);
    client.watchUntil(id, 4, SessionEvent::hasTuning);
    quantizer.awaitEpochHeld();
    assertEquals(
        SessionState.PAUSED,
        client.stub().pauseSession(PauseSessionRequest.newBuilder().setId(id).build()).getState());
    client.stub().resumeSession(ResumeSessionRequest.newBuilder().setId(id).build());
    quantizer.permitEpochs(1_000);
    Session session = client.awaitEnd(id);
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    assertEquals(3 + 3, quantizer.epochs(), "no epoch is trained twice");
    assertFalse(session.getTuned().getModel().equals(model));
  }

  @Test
  void stoppedItKeepsTheBestPolicyAndMayBeTrainedAfterAll() {
    quantizer.holdEpochs();
    String id = client.create(tuned(4, 3)).getId();
    quantizer.permitEpochs(1);
    client.watchUntil(id, 4, SessionEvent::hasTuning);
    Session stopped = client.stub().stopSession(StopSessionRequest.newBuilder().setId(id).build());
    assertEquals(SessionState.STOPPED, stopped.getState());
    assertEquals(EndReason.USER, stopped.getEndReason());
    assertTrue(stopped.hasBest());
    assertFalse(stopped.hasTuned());
    quantizer.permitEpochs(1_000);
    extend(id, 4);
    Session session = client.awaitEnd(id);
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    assertEquals(4, session.getEpisodesDone());
    assertEquals(3, session.getTuned().getEpochs());
    assertEquals(3, quantizer.epochs(), "no epoch is trained twice");
    refused(Reason.INVALID_ARGUMENT, () -> extend(id, 4));
  }

  @Test
  void whoStopsTheSearchDoesNotWaitForTraining() {
    quantizer.hold();
    String id = client.create(tuned(3, 2)).getId();
    quantizer.permit(2);
    client.awaitEpisodes(id, 2);
    quantizer.awaitHeld();
    client.stub().stopSession(StopSessionRequest.newBuilder().setId(id).build());
    quantizer.permit(1_000); // the last episode, too
    assertEquals(SessionState.STOPPED, client.awaitEnd(id).getState());
    assertEquals(0, quantizer.epochs());
  }

  @Test
  void cancelledItEndsAtOnce() {
    quantizer.holdEpochs();
    String id = client.create(tuned(2, 2)).getId();
    client.await(id, SessionState.FINE_TUNING);
    quantizer.awaitEpochHeld();
    client.stub().cancelSession(CancelSessionRequest.newBuilder().setId(id).build());
    Session cancelled = client.awaitEnd(id);
    assertEquals(SessionState.CANCELLED, cancelled.getState());
    assertTrue(cancelled.hasBest());
  }

  @Test
  void extendedItSearchesOnAndTrainsAgainOnlyWhatIsBetter() {
    String id = client.create(tuned(1, 2)).getId();
    Session session = client.awaitEnd(id);
    for (int episodes = 6; episodes <= 36; episodes += 5) {
      Tuned before = session.getTuned();
      int epochs = quantizer.epochs();
      extend(id, episodes);
      session = client.awaitEnd(id);
      assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
      boolean better = session.getBest().getNumber() != before.getEpisode();
      assertEquals(better ? 2 : 0, quantizer.epochs() - epochs);
      assertEquals(session.getBest().getNumber(), session.getTuned().getEpisode());
      assertEquals(!better, before.equals(session.getTuned()));
    }
  }

  @Test
  void extendedWhileItTrainsItSearchesOn() {
    quantizer.holdEpochs();
    String id = client.create(tuned(2, 2)).getId();
    client.await(id, SessionState.FINE_TUNING);
    quantizer.awaitEpochHeld();
    extend(id, 8);
    client.awaitEpisodes(id, 8);
    quantizer.permitEpochs(1_000);
    Session session = client.awaitEnd(id);
    assertEquals(SessionState.SUCCEEDED, session.getState(), session.getError());
    assertEquals(8, session.getEpisodesDone());
    assertEquals(session.getBest().getNumber(), session.getTuned().getEpisode());
  }

  @Test
  void everyGoodEndIsFollowedByTraining() {
    Session session =
        client.awaitEnd(
            client.create(tuned(50, 1).setEarlyEnds(EarlyEnds.newBuilder().setTop1(0))).getId());
    assertEquals(EndReason.GOAL, session.getEndReason());
    assertEquals(1, session.getEpisodesDone());
    assertTrue(session.hasTuned());
  }

  @Test
  void trainingThatDivergesFailsTheSessionInOneLineAndKeepsTheBest() {
    SessionSpec.Builder spec = tuned(3, 5);
    spec.getFinalFineTuningBuilder().setLearningRate(2);
    Session session = client.awaitEnd(client.create(spec).getId());
    assertEquals(SessionState.FAILED, session.getState());
    assertEquals("fine-tuning diverges at learning rate 2.0: use a lower one", session.getError());
    assertTrue(session.hasBest());
    assertFalse(session.hasTuned());
  }

  @Test
  void whatCannotBeTrainedIsRefusedFromTheStart() {
    HaqException operator =
        refused(
            Reason.UNSUPPORTED_OPERATOR,
            () -> client.create(tuned(2, 1).setRecipe(Recipe.newBuilder().setName("kmeans"))));
    assertTrue(operator.getMessage().contains("Erf"), operator.getMessage());
    SessionSpec.Builder unknown = tuned(2, 1);
    unknown.getFinalFineTuningBuilder().getDataBuilder().setDataset("sha256:nothing");
    refused(Reason.UNKNOWN_DATASET, () -> client.create(unknown));
    SessionSpec.Builder classes = tuned(2, 1);
    classes.getFinalFineTuningBuilder().getDataBuilder().setDataset(FakeQuantizer.MORE_CLASSES);
    refused(Reason.LABEL_OUT_OF_RANGE, () -> client.create(classes));
    SessionSpec.Builder inTheLoop =
        spec(2)
            .setRecipe(
                Recipe.newBuilder()
                    .setName("haq-finetune")
                    .setFineTuning(
                        FineTuning.newBuilder()
                            .setData(DataSelection.newBuilder().setDataset("sha256:nothing"))));
    refused(Reason.UNKNOWN_DATASET, () -> client.create(inTheLoop));
    HaqException epochs = refused(Reason.INVALID_ARGUMENT, () -> client.create(tuned(2, 0)));
    assertTrue(epochs.getMessage().startsWith("spec.final_fine_tuning"), epochs.getMessage());
    assertEquals(
        0, client.stub().listSessions(ListSessionsRequest.getDefaultInstance()).getSessionsCount());
  }

  private Session extend(String id, int episodes) {
    return client
        .stub()
        .extendSession(ExtendSessionRequest.newBuilder().setId(id).setEpisodes(episodes).build());
  }
}
