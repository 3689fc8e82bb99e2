package dev.haq.agent.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.Arrays;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;

final class SessionStateTest {
  @Test
  void whatHasEndedOrIsFineTunedIsQueuedAgainWhenItIsExtended() {
    EnumSet<SessionState> again = EnumSet.of(SessionState.QUEUED, SessionState.FINE_TUNING);
    Arrays.stream(SessionState.values()).filter(SessionState::isFinal).forEach(again::add);
    for (SessionState state : EnumSet.complementOf(EnumSet.of(SessionState.STOPPING))) {
      assertEquals(again.contains(state) ? SessionState.QUEUED : state, state.extended("id"));
    }
  }

  @Test
  void whatIsStoppingIsNotExtended() {
    HaqException e = assertThrows(HaqException.class, () -> SessionState.STOPPING.extended("one"));
    assertEquals(Reason.ILLEGAL_STATE, e.reason());
  }
}
