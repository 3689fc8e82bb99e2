package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Reason;
import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.Linear;
import dev.haq.wire.LayerText;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
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
  void aResultThatCannotBeWrittenIsAFailure() {
    PrintStream out = System.out;
    try {
      System.setOut(
          new PrintStream(
              new OutputStream() {
                @Override
                public void write(int one) throws IOException {
                  throw new IOException("No space left on device");
                }
              },
              true,
              StandardCharsets.UTF_8));
      assertEquals(1, Haq.execute("--version"));
    } finally {
      System.setOut(out);
    }
  }

  @Test
  void optionsThatWouldBeIgnoredAreRefused() {
    Captured size =
        Captured.run(
            "simulate",
            "--model",
            "builtin:shapes",
            "--image-size",
            "64",
            "--target",
            "bismo-edge",
            "--bits",
            "8,8");
    assertEquals(2, size.status());
    assertTrue(size.err().contains("leave --image-size out"), size.err());
    Captured blank =
        Captured.run(
            "simulate",
            "--model",
            "builtin:shapes",
            "--target",
            "bismo-edge",
            "--bits",
            "8,8",
            "--set",
            "clock_hz=");
    assertEquals(2, blank.status());
    assertTrue(blank.err().contains("--set clock_hz=: a value is missing"), blank.err());
  }

  @Test
  void aFoundFigureIsPrintedSoThatItStillDoes() {
    assertEquals("12345678912", FindParameterCommand.text(12_345_678_912.0));
    assertEquals("384", FindParameterCommand.text(384));
    assertEquals("1.000001", FindParameterCommand.text(1.00000001));
    assertTrue(Double.parseDouble(FindParameterCommand.text(123456789.4)) >= 123456789.4);
  }

  @Test
  void machineReadTextHasTheSameDigitsEverywhere() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertEquals(
          "linear 128->10",
          LayerText.kind(
              Layer.newBuilder()
                  .setLinear(Linear.newBuilder().setInputUnits(128).setOutputUnits(10))
                  .build()));
    } finally {
      Locale.setDefault(before);
    }
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
