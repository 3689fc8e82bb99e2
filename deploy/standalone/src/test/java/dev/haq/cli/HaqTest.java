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
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HaqTest {
  @RegisterExtension static final Services services = new Services();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "paint|there is no command 'paint'",
        "evalute --model m|there is no command 'evalute': did you mean 'evaluate'? (see 'haq --help')",
        "targets --shw x|Unknown options: '--shw', 'x': did you mean '--show'? (see 'haq targets --help')",
        "table --model m --target t --out o --tabel-batch 1|did you mean '--t",
        "targets bismo-edge|Unmatched argument at index 1: 'bismo-edge' (see",
        "targets --no-such-option|Unknown option: '--no-such-option'",
        "search --budget 0.5|Missing required options",
        "targets --server nowhere|--server nowhere",
        "serve --port 70000|70000",
        "demo --episodes 0|--episodes 0",
        "simulate --model m --target t --bits 8,8 --policy p|--policy"
      })
  void wrongArgumentsAreRefused(String line, String expected) {
    Captured.run(line).assertRefused(expected);
  }

  @Test
  void withoutACommandItSaysHowItIsUsed() {
    Captured run = Captured.run(List.of());
    run.assertRefused("a command is needed");
    assertTrue(run.err().contains("'haq COMMAND --help' explains a command"), run.err());
  }

  @Test
  void helpIsNoError() {
    assertTrue(Captured.run("--help").done().out().contains("find-parameter"));
    assertTrue(Captured.run("search --help").done().out().contains("--further-target"));
  }

  @Test
  void aServerThatIsNotThereIsAFailure() {
    Captured run = Captured.run("targets --server http://127.0.0.1:9");
    assertEquals(1, run.status(), run.err());
    assertTrue(run.complaints().get(0).contains("127.0.0.1:9"), run.err());
  }

  @Test
  void whatNoFileCanBeCalledIsAWrongArgument() {
    services
        .run("evaluate --model builtin:shapes --data %s", "a\0b")
        .assertRefused("a\\x00b cannot be the name of a file here");
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
    String command = "simulate --model builtin:shapes --target bismo-edge --bits 8,8 ";
    services.run(command + "--image-size 64").assertRefused("leave --image-size out");
    services.run(command + "--set clock_hz=").assertRefused("--set clock_hz=: a value is missing");
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
