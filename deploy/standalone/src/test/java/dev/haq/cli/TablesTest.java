package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
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
        Standalone.start(
            Standalone.Options.inside(
                folder.resolve("data"), Optional.of(folder.resolve("sessions"))));
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
            ? run("simulate", "--target", file, "--clock-hz", "2e8", "--bits", bits, "--json")
            : run("simulate", "--target", file, "--bits", bits, "--json");
    assertEquals(0, measured.status(), measured.err());
    double expected = modelled.json().at("/total/latency_seconds").asDouble();
    assertEquals(
        expected, measured.json().at("/total/latency_seconds").asDouble(), 1e-12 * expected);
  }

  @ParameterizedTest
  @CsvSource({"e.csv,", "e.json,", "e.npy, --table-resource=energy"})
  void aTableOfEnergyIsReadAsEnergy(String name, String option) {
    String file = energy(name);
    Captured modelled = run("simulate", "--target", "bitfusion", "--bits", "4,4", "--json");
    String[] command = {"--target", file, "--bits", "4,4", option == null ? "--batch=1" : option};
    String[] document = Arrays.copyOf(command, command.length + 1);
    document[command.length] = "--json";
    Captured measured = run("simulate", document);
    assertEquals(0, measured.status(), measured.err());
    double expected = modelled.json().at("/total/energy_joules").asDouble();
    assertEquals(expected, measured.json().at("/total/energy_joules").asDouble(), 1e-12 * expected);
    assertEquals(0, measured.json().at("/total/latency_seconds").asDouble());
    Captured text = run("simulate", command);
    assertTrue(
        text.out().strip().matches("(?s).*on " + name + ", batch 1: [0-9.]+ uJ"), text.out());
    Captured explained = run("explain", command);
    assertEquals(0, explained.status(), explained.err());
  }

  @Test
  void aBudgetOnWhatATableDoesNotHoldIsRefusedAndOneOnSizeIsNot() {
    String file = energy("b.json");
    assertRefused(
        "--target b.json holds energy alone, and a budget limits latency",
        search("--target", file, "--budget", "0.6"));
    assertRefused(
        "--further-target b.json holds energy alone, and a budget limits latency",
        search("--target", "bismo-edge", "--further-target", file, "--budget", "0.6"));
    Captured size = search("--target", file, "--resource", "size", "--budget", "0.3");
    assertEquals(0, size.status(), size.err());
    Captured energy = search("--target", file, "--resource", "energy", "--budget", "0.9");
    assertEquals(0, energy.status(), energy.err());
    assertRefused(
        "holds ENERGY, and --table-resource says LATENCY",
        run("simulate", "--target", file, "--table-resource", "latency", "--bits", "4,4"));
    assertRefused(
        "--table-resource size: use latency or energy",
        run("simulate", "--target", file, "--table-resource", "size", "--bits", "4,4"));
  }

  @Test
  void optionsOfTablesAreRefusedWhereThereIsNone() {
    assertRefused(
        "use --set clock_hz=2.0E8",
        run("simulate", "--target", "bitfusion", "--clock-hz", "2e8", "--bits", "4,4"));
    assertRefused(
        "--table-batch is for a table of measured costs, which bitfusion is not: use --batch 4",
        run("simulate", "--target", "bitfusion", "--table-batch", "4", "--bits", "4,4"));
    assertRefused(
        "bismo-edge, bitfusion is not",
        search(
            "--target",
            "bismo-edge",
            "--further-target",
            "bitfusion=0.9",
            "--clock-hz",
            "2e8",
            "--budget",
            "0.9"));
  }

  @Test
  void aFurtherTargetThatIsATableOfCyclesHasTheClockToo() {
    String file = folder.resolve("further.npy").toString();
    assertEquals(0, run("table", "--target", "bismo-edge", "--out", file).status());
    Captured run =
        search(
            "--target",
            "bitfusion",
            "--further-target",
            file + "=0.6",
            "--clock-hz",
            "2e8",
            "--budget",
            "0.9");
    assertEquals(0, run.status(), run.err());
    assertTrue(run.out().contains("further.npy"), run.out());
  }

  @Test
  void aJsonFileThatIsNoTableIsNamedAndTheCallersFault() throws IOException {
    Path file = folder.resolve("wrong.json");
    Files.writeString(file, "{\"values\": \"many\"}");
    assertRefused(
        "--target " + file + " is not a cost table: ",
        run("simulate", "--target", file.toString(), "--bits", "4,4"));
    Files.writeString(file, "{\"values\": [1], \"layer\": [\"a\"]}");
    assertRefused("layer", run("simulate", "--target", file.toString(), "--bits", "4,4"));
    Files.writeString(file, "{\"values\": [1], \"layers\": [\"a\"]}");
    assertRefused(
        "is not a cost table: it has 1 values for 1 layers",
        run("simulate", "--target", file.toString(), "--bits", "4,4"));
  }

  private static void assertRefused(String expected, Captured run) {
    assertEquals(2, run.status(), run.err());
    assertEquals(1, run.complaints().size(), run.err());
    assertTrue(run.complaints().get(0).contains(expected), run.err());
  }

  private static String energy(String name) {
    String file = folder.resolve(name).toString();
    Captured written = run("table", "--target", "bitfusion", "--resource", "energy", "--out", file);
    assertEquals(0, written.status(), written.err());
    return file;
  }

  private static Captured search(String... options) {
    List<String> all = new ArrayList<>(List.of(options));
    all.addAll(List.of("--data", "builtin:shapes", "--images", "32", "--episodes", "2"));
    all.addAll(List.of("--agent", "uniform", "--out", folder.resolve("out").toString()));
    return run("search", all.toArray(String[]::new));
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
