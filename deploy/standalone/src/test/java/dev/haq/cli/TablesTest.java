package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.wire.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Measured tables as targets of the command, against the four services. */
class TablesTest {
  private static final String SIMULATE = "simulate --model builtin:shapes --target %s --bits %s ";
  private static final String TABLE = "table --model builtin:shapes --target %s --out %s ";

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void simulationAndTableAgree() throws IOException {
    Path table = folder.resolve("agree.npy");
    JsonNode written = services.run(TABLE + "--json", "bismo-cloud", table).done().json();
    int layers = services.layers();
    assertEquals(0, written.get("fixed").asDouble(), "all that takes time are layers");
    NpyFile cells = NpyFile.parse("agree.npy", Files.readAllBytes(table));
    assertEquals(List.of(layers, 8, 8), cells.shape());
    double sum = 0;
    for (int layer = 0; layer < layers; layer++) {
      sum += cells.values()[layer * 64 + 3 * 8 + 4];
    }
    JsonNode simulated = services.run(SIMULATE + "--json", "bismo-cloud", "4,5").done().json();
    assertEquals(sum, simulated.at("/total/cycles").asDouble());
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
    Path file = folder.resolve(out);
    JsonNode written = services.run(TABLE + "--json", target, file).done().json();
    assertEquals(type, written.get("type").asText());
    assertEquals(unit, written.get("unit").asText());
    String bits = name.equals("variable-bit-npu") ? "4,8" : "3,5";
    String clock = unit.equals("cycles") ? "--clock-hz 2e8 " : "";
    JsonNode modelled = services.run(SIMULATE + "--json", target, bits).done().json();
    JsonNode measured = services.run(SIMULATE + clock + "--json", file, bits).done().json();
    double expected = modelled.at("/total/latency_seconds").asDouble();
    assertEquals(expected, measured.at("/total/latency_seconds").asDouble(), 1e-12 * expected);
  }

  @ParameterizedTest
  @CsvSource({"e.csv,''", "e.json,''", "e.npy, --table-resource=energy"})
  void aTableOfEnergyIsReadAsEnergy(String name, String option) {
    Path file = energy(name);
    JsonNode modelled = services.run(SIMULATE + "--json", "bitfusion", "4,4").done().json();
    JsonNode measured = services.run(SIMULATE + option + " --json", file, "4,4").done().json();
    double expected = modelled.at("/total/energy_joules").asDouble();
    assertEquals(expected, measured.at("/total/energy_joules").asDouble(), 1e-12 * expected);
    assertEquals(0, measured.at("/total/latency_seconds").asDouble());
    Captured text = services.run(SIMULATE + option, file, "4,4").done();
    assertTrue(
        text.out().strip().matches("(?s).*on " + name + ", batch 1: [0-9.]+ uJ"), text.out());
    Captured explained =
        services
            .run("explain --model builtin:shapes --target %s --bits 4,4 " + option, file)
            .done();
    assertTrue(explained.out().contains(" mJ"), explained.out());
  }

  @ParameterizedTest
  @CsvSource({"batch.csv,''", "batch.json,''", "batch.npy,--clock-hz 2e8 --table-batch 16"})
  void aTableIsReadWithTheBatchThatItWasWrittenFor(String name, String options) {
    Path file = folder.resolve(name);
    Captured written = services.run(TABLE, "bismo-cloud", file).done();
    assertTrue(written.out().contains("on bismo-cloud, batch 16"), written.out());
    assertEquals(
        name.endsWith(".npy"),
        written.out().contains("a .npy file cannot say so: read it with --table-batch 16"),
        written.out());
    assertEquals(
        16, services.run(TABLE + "--json", "bismo-cloud", file).done().json().at("/batch").asInt());
    Captured measured = services.run(SIMULATE + options, file, "4,4").done();
    assertTrue(measured.out().contains("on " + name + ", batch 16: "), measured.out());
  }

  @Test
  void aTableThatCostsNothingIsRefusedByName() throws IOException {
    Path file = folder.resolve("zero.csv");
    services.run(TABLE, "bitfusion", file).done();
    String zeros = Files.readString(file).replaceAll("(?m),[0-9.E-]+,([^,]+)$", ",0,$1");
    Files.writeString(file, zeros);
    services
        .run(SIMULATE, file, "4,4")
        .assertRefused("table zero.csv holds 0 for every cost: give costs above 0");
  }

  @Test
  void aJsonTableWithMoreBehindItIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("more.json"), "{\"values\": [1]} {");
    services
        .run(SIMULATE, file, "4,4")
        .assertRefused("more.json is not JSON: there is more text behind it, at line 1, column 17");
  }

  @Test
  void aFileOfATypeThatIsNotReadIsToldTheTypesThatAre() throws IOException {
    Path file = Files.writeString(folder.resolve("tab.tsv"), "layer\tms\n");
    String expected = "tab.tsv: files of costs are read as .npy, .csv or .json";
    services.run(SIMULATE, file, "4,4").assertRefused("--target " + folder + "/" + expected);
    search("--target bismo-edge --further-target %s --budget 0.6", file)
        .assertRefused("--further-target " + folder + "/" + expected);
  }

  @Test
  void aBudgetOnWhatATableDoesNotHoldIsRefusedAndOneOnSizeIsNot() {
    Path file = energy("b.json");
    search("--target %s --budget 0.6", file)
        .assertRefused("--target b.json holds energy alone, and a budget limits latency");
    search("--target bismo-edge --further-target %s --budget 0.6", file)
        .assertRefused("--further-target b.json holds energy alone, and a budget limits latency");
    search("--target %s --resource size --budget 0.3", file).done();
    search("--target %s --resource energy --budget 0.9", file).done();
    services
        .run(SIMULATE + "--table-resource latency", file, "4,4")
        .assertRefused("holds ENERGY, and --table-resource says LATENCY");
    services
        .run(SIMULATE + "--table-resource size", file, "4,4")
        .assertRefused("--table-resource size: use latency or energy");
  }

  @Test
  void optionsOfTablesAreRefusedWhereThereIsNone() {
    services
        .run(SIMULATE + "--clock-hz 2e8", "bitfusion", "4,4")
        .assertRefused("use --set clock_hz=2.0E8");
    services
        .run(SIMULATE + "--table-batch 4", "bitfusion", "4,4")
        .assertRefused(
            "--table-batch is for a table of measured costs, which bitfusion is not: use --batch 4");
    search("--target bismo-edge --further-target bitfusion=0.9 --clock-hz 2e8 --budget 0.9")
        .assertRefused("bismo-edge, bitfusion is not");
  }

  @Test
  void aFurtherTargetThatIsATableOfCyclesHasTheClockToo() {
    Path file = folder.resolve("further.npy");
    services.run(TABLE, "bismo-edge", file).done();
    Captured run =
        search("--target bitfusion --further-target %s=0.6 --clock-hz 2e8 --budget 0.9", file)
            .done();
    assertTrue(run.out().contains("further.npy"), run.out());
  }

  @Test
  void aJsonFileThatIsNoTableIsNamedAndTheCallersFault() throws IOException {
    Path file = folder.resolve("wrong.json");
    Files.writeString(file, "{\"values\": \"many\"}");
    services
        .run(SIMULATE, file, "4,4")
        .assertRefused("--target " + file + " is not a cost table: ");
    Files.writeString(file, "{\"values\": [1], \"layer\": [\"a\"]}");
    services.run(SIMULATE, file, "4,4").assertRefused("layer");
    Files.writeString(file, "{\"values\": [1], \"layers\": [\"a\"]}");
    services
        .run(SIMULATE, file, "4,4")
        .assertRefused("is not a cost table: it has 1 values for 1 layers");
  }

  private static Path energy(String name) {
    Path file = folder.resolve(name);
    services.run(TABLE + "--resource energy", "bitfusion", file).done();
    return file;
  }

  private static Captured search(String options, Object... values) {
    List<String> words = new ArrayList<>(Words.of("search " + options, values));
    words.addAll(
        Words.of(
            """
            --model builtin:shapes --data builtin:shapes --images 32 --episodes 2 --agent uniform
            --out %s
            """,
            folder.resolve("out")));
    return services.run(words);
  }

  /** A machine with every width up to 8, whose layers take fractions of a cycle. */
  private static String roofline() throws IOException {
    String all = "_bits: [1, 2, 3, 4, 5, 6, 7, 8]";
    return Files.writeString(
            folder.resolve("roofline.yaml"),
            services
                .run("targets --show variable-bit-npu")
                .done()
                .out()
                .replaceFirst("(?m)^weight_bits:.*$", "weight" + all)
                .replaceFirst("(?m)^activation_bits:.*$", "activation" + all))
        .toString();
  }
}
