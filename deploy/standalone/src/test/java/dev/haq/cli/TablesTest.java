package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Measured tables as targets of the command, against the four services. */
class TablesTest {
  @TempDir static Path folder;
  private static Standalone standalone;

  @BeforeAll
  static void start() {
    standalone =
        Standalone.start(Standalone.Options.inside(folder.resolve("data"), Optional.empty()));
  }

  @AfterAll
  static void stop() {
    standalone.close();
  }

  @ParameterizedTest
  @CsvSource({
    "bismo-cloud, t.npy, int64, cycles",
    "bitfusion, t.npy, float64, seconds",
    "roofline.yaml, t.npy, float64, seconds",
    "variable-bit-npu, t.csv, text, seconds",
    "bitfusion, t.csv, text, seconds",
    "bitfusion, t.json, text, seconds"
  })
  void aWrittenTableCostsWhatItsTargetDoes(String name, String out, String type, String unit)
      throws IOException {
    String target = name.equals("roofline.yaml") ? roofline() : name;
    String file = folder.resolve(out).toString();
    Captured written = run("table", "--target", target, "--out", file, "--json");
    assertEquals(0, written.status(), written.err());
    assertEquals(type, written.json().get("type").asText());
    assertEquals(unit, written.json().get("unit").asText());
    String bits = name.equals("variable-bit-npu") ? "4,8" : "3,5";
    Captured modelled = run("simulate", "--target", target, "--bits", bits, "--json");
    assertEquals(0, modelled.status(), modelled.err());
    Captured measured =
        unit.equals("cycles")
            ? run(
                "simulate", "--target", file, "--clock-hz", "2e8", "--bits", bits, "--json")
            : run("simulate", "--target", file, "--bits", bits, "--json");
    assertEquals(0, measured.status(), measured.err());
    double expected = modelled.json().at("/total/latency_seconds").asDouble();
    assertEquals(
        expected, measured.json().at("/total/latency_seconds").asDouble(), 1e-12 * expected);
  }

  /** A machine with every width up to 8, whose layers take fractions of a cycle. */
  private static String roofline() throws IOException {
    Captured shown = Captured.run("targets", "--show", "variable-bit-npu", "--server", url());
    assertEquals(0, shown.status(), shown.err());
    String all = "_bits: [1, 2, 3, 4, 5, 6, 7, 8]";
    return Files.writeString(
            folder.resolve("roofline.yaml"),
            shown
                .out()
                .replaceFirst("(?m)^weight_bits:.*$", "weight" + all)
                .replaceFirst("(?m)^activation_bits:.*$", "activation" + all))
        .toString();
  }

  private static String url() {
    return standalone.url().toString();
  }

  private static Captured run(String command, String... options) {
    String[] all = Arrays.copyOf(options, options.length + 5);
    System.arraycopy(options, 0, all, 1, options.length);
    all[0] = command;
    all[options.length + 1] = "--model";
    all[options.length + 2] = "builtin:shapes";
    all[options.length + 3] = "--server";
    all[options.length + 4] = url();
    return Captured.run(all);
  }
}
