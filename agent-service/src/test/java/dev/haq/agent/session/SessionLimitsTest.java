package dev.haq.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class SessionLimitsTest {
  @Test
  void theTimeThatEpisodesTookEndsASession() {
    SessionLimits minute =
        new SessionLimits(100, OptionalDouble.of(60), OptionalInt.empty(), OptionalDouble.empty());
    assertEquals(Optional.empty(), minute.reached(after(59)));
    assertEquals(Optional.of(EndReason.WALL_TIME), minute.reached(after(60)));
  }

  @Test
  void aLimitThatWasReachedAlreadyIsRefusedAndWhatHelpsIsSaid() {
    SessionLimits minute =
        new SessionLimits(100, OptionalDouble.of(60), OptionalInt.empty(), OptionalDouble.empty());
    minute.checkAhead(after(59));
    HaqException e = assertThrows(HaqException.class, () -> minute.checkAhead(after(61)));
    assertEquals(
        "early_ends.wall_seconds is 60.0, and the episodes have taken 61 s already: the session would end at once; ask for more, or leave it out",
        e.getMessage());
    SessionLimits.episodes(8).checkAhead(after(61)); // has a refusal of its own
  }

  private static SessionRecord.Progress after(double episodeSeconds) {
    return new SessionRecord.Progress(
        8, episodeSeconds, Optional.empty(), Optional.empty(), FleetBests.NONE, Tunings.none(1));
  }
}
