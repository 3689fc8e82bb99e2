package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is out of range is refused by the option's name before anything is asked or sent. */
class RangesTest {
  /** Nothing listens there: what gets so far says so. */
  private static final String NOWHERE = "http://localhost:1";

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--parallel|65|--parallel 65: use 1 to 64",
        "--parallel|0|--parallel 0: use 1 to 64",
        "--episodes|100001|--episodes 100001: use 1 to 100000",
        "--budget|0|--budget 0: a limit is a finite number above 0",
        "--budget|1.01|--budget 1.01: a ratio is above 0 and at most 1",
        "--also|energy=0|--also 0: a limit is a finite number above 0",
        "--held-out|1|--held-out 1.0 must be 0 or more and below 1",
        "--momentum|1.5|--momentum 1.5: ",
        "--momentum|-0.1|--momentum -0.1: ",
        "--batch-size|0|--batch-size 0: ",
        "--batch-size|4097|--batch-size 4097: ",
        "--finetune-rate|0|--finetune-rate 0.0: ",
        "--finetune-rate|Infinity|--finetune-rate Infinity: ",
        "--weight-decay|-1|--weight-decay -1.0: ",
        "--weight-decay|NaN|--weight-decay NaN: ",
        "--finetune-epochs|-1|--finetune-epochs -1: ",
        "--finetune-epochs|10001|--finetune-epochs 10001: ",
      })
  void ofASearch(String option, String value, String expected) {
    List<String> command = command("search", "--target", "bismo-edge");
    if (!option.equals("--budget")) {
      command.addAll(List.of("--budget", "0.6"));
    }
    refused(command, option, value, expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--epochs|0|--epochs 0: ",
        "--epochs|10001|--epochs 10001: ",
        "--momentum|1|--momentum 1.0: ",
        "--held-out|-0.5|--held-out -0.5 must be 0 or more and below 1",
      })
  void ofATraining(String option, String value, String expected) {
    refused(
        command("finetune", "--train-data", "builtin:shapes", "--bits", "4,4"),
        option,
        value,
        expected);
  }

  @ParameterizedTest
  @CsvSource({"evaluate", "sensitivity"})
  void ofTheImages(String name) {
    refused(command(name), "--held-out", "2", "--held-out 2.0 must be 0 or more and below 1");
  }

  private List<String> command(String name, String... more) {
    List<String> command =
        new ArrayList<>(List.of(name, "--server", NOWHERE, "--model", "builtin:shapes", "--data"));
    command.add("builtin:shapes");
    command.addAll(List.of(more));
    if (name.equals("search")) {
      command.addAll(List.of("--out", folder.resolve("out").toString()));
    }
    return command;
  }

  private static void refused(List<String> command, String option, String value, String expected) {
    command.add(option + "=" + value);
    Captured run = Captured.run(command);
    assertEquals(2, run.status(), run.err());
    assertTrue(run.err().startsWith("haq: " + expected), run.err());
    assertFalse(run.err().contains("nothing answers"), run.err());
  }
}
