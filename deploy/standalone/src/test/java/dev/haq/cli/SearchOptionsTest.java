package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SearchOptionsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--also|accuracy=0.7|--also accuracy: use latency, energy or size",
        "--also|energy=70x|--also 70x: there is no unit 'x'",
        "--resource|accuracy|--resource accuracy: use latency, energy or size",
      })
  void anErrorNamesTheOptionThatItStandsIn(String option, String value, String expected) {
    Captured run =
        Captured.run(
            "search",
            "--model",
            "builtin:shapes",
            "--data",
            "builtin:shapes",
            "--target",
            "bismo-edge",
            "--budget",
            "0.6",
            option,
            value,
            "--out",
            folder.resolve("out").toString());
    assertEquals(2, run.status(), run.err());
    assertTrue(run.err().contains(expected), run.err());
  }
}
