package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.model.Reason;
import org.junit.jupiter.api.Test;

class HaqTest {
  @Test
  void wrongArgumentsExitWithTwo() {
    assertEquals(2, Haq.execute());
    assertEquals(2, Haq.execute("paint"));
    assertEquals(2, Haq.execute("simulate", "--no-such-option"));
    assertEquals(2, Haq.execute("search", "--budget", "0.5"));
    assertEquals(2, Haq.execute("targets", "--server", "nowhere"));
    assertEquals(2, Haq.execute("serve", "--port", "70000"));
    assertEquals(2, Haq.execute("demo", "--episodes", "0"));
    assertEquals(
        2,
        Haq.execute("simulate", "--model", "m", "--target", "t", "--bits", "8,8", "--policy", "p"));
  }

  @Test
  void helpIsNoError() {
    assertEquals(0, Haq.execute("--help"));
    assertEquals(0, Haq.execute("search", "--help"));
  }

  @Test
  void aServerThatIsNotThereIsAFailure() {
    assertEquals(1, Haq.execute("targets", "--server", "http://127.0.0.1:9"));
  }

  @Test
  void whatTheCallerCanMendIsTwo() {
    assertEquals(2, Haq.status(Reason.UNKNOWN_TARGET));
    assertEquals(2, Haq.status(Reason.BUDGET_INFEASIBLE));
    assertEquals(2, Haq.status(Reason.INVALID_MODEL));
    assertEquals(2, Haq.status(Reason.TOO_LARGE));
    assertEquals(1, Haq.status(Reason.EXPORT_DIFFERS));
    assertEquals(1, Haq.status(Reason.UNAVAILABLE));
    assertEquals(1, Haq.status(Reason.INTERNAL));
  }
}
