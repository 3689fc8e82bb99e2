package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class SessionLimitsTest {
  @Test
  void episodesSideBySideShareTheTimeThatTheyTake() {
    SessionLimits minute =
        new SessionLimits(100, OptionalDouble.of(60), OptionalInt.empty(), OptionalDouble.empty());
    assertEquals(Optional.of(EndReason.WALL_TIME), minute.reached(after(60), 1));
    assertEquals(Optional.empty(), minute.reached(after(60), 4));
    assertEquals(Optional.empty(), minute.reached(after(239), 4));
    assertEquals(Optional.of(EndReason.WALL_TIME), minute.reached(after(240), 4));
  }

  private static SessionRecord.Progress after(double episodeSeconds) {
    return new SessionRecord.Progress(
        8, episodeSeconds, Optional.empty(), Optional.empty(), FleetBests.NONE, Tunings.none(1));
  }
}
