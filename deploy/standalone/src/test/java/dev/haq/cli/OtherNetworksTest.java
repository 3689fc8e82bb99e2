package dev.haq.cli;

import static dev.haq.cli.OnnxNets.integer;
import static dev.haq.cli.OnnxNets.ints;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Networks that are not MobileNets, from an ONNX file to the command's table and document: each
 * kind of layer has a cost, marked where the cost model is extrapolated, or is refused by name.
 */
class OtherNetworksTest {
  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;
  private static Path shapes;

  @BeforeAll
  static void write() throws IOException {
    shapes = everyShape();
  }

  /** The layers of ResNet, AlexNet and others, one after the other, at 64 x 64. */
  private static Path everyShape() throws IOException {
    OnnxNets net = new OnnxNets(3, 64, 64);
    String stem =
        net.relu(
            net.conv(
                "stem7x7",
                "image",
                new int[] {16, 3, 7, 7},
                ints("strides", 2, 2),
                ints("pads", 3, 3, 3, 3)));
    String block =
        net.conv(
            "dense3x3",
            stem,
            new int[] {32, 16, 3, 3},
            ints("strides", 2, 2),
            ints("pads", 1, 1, 1, 1));
    String shortcut =
        net.conv("shortcut1x1", stem, new int[] {32, 16, 1, 1}, ints("strides", 2, 2));
    String joined = net.relu(net.add(block, shortcut));
    String deep =
        net.relu(net.conv("deep3x3", joined, new int[] {32, 32, 3, 3}, ints("pads", 1, 1, 1, 1)));
    String grouped =
        net.relu(
            net.conv(
                "grouped",
                deep,
                new int[] {64, 16, 5, 5},
                ints("pads", 2, 2, 2, 2),
                integer("group", 2)));
    String dilated =
        net.relu(
            net.conv(
                "dilated",
                grouped,
                new int[] {32, 64, 3, 3},
                ints("pads", 2, 2, 2, 2),
                ints("dilations", 2, 2)));
    String asymmetric =
        net.relu(
            net.conv(
                "asymmetric",
                dilated,
                new int[] {32, 32, 3, 3},
                ints("strides", 2, 2),
                ints("pads", 0, 0, 1, 1)));
    String row =
        net.relu(
            net.conv("row1x5", asymmetric, new int[] {32, 32, 1, 5}, ints("pads", 0, 4, 0, 0)));
    return net.write(folder.resolve("shapes.onnx"), net.classifier(row, 32, 10));
  }

  private static final List<String> LAYERS =
      List.of(
          "stem7x7",
          "dense3x3",
          "shortcut1x1",
          "deep3x3",
          "grouped",
          "dilated",
          "asymmetric",
          "row1x5",
          "fc");

  @Test
  void whatThePublishedTableDoesNotPinIsMarkedOnBismo() throws IOException {
    Set<String> marked = Set.of("deep3x3", "grouped", "dilated", "asymmetric");
    for (String target : List.of("bismo-cloud", "bismo-edge")) {
      assertMarks(target, marked);
    }
  }

  @Test
  void whatThePublicSimulatorDoesNotKnowIsMarkedOnBitFusion() throws IOException {
    assertMarks("bitfusion", Set.of("dilated", "row1x5"));
  }

  @Test
  void everythingIsMarkedOnARoofline() throws IOException {
    assertMarks("vnni-cpu", new LinkedHashSet<>(LAYERS));
  }

  /** In every command, as a table and as a document. */
  private static void assertMarks(String target, Set<String> expected) throws IOException {
    JsonNode simulated = done("simulate --bits 8,8 --json", target).json();
    assertEquals(LAYERS.size(), simulated.get("layers").size());
    assertEquals(expected, marked(simulated.get("layers"), "/bits/name", "/extrapolated"));
    assertTrue(simulated.get("extrapolated").asBoolean());
    assertRows(done("simulate --bits 8,8", target).out(), "(extrapolated)", expected);

    JsonNode explained = done("explain --bits 8,8 --json", target).json();
    assertEquals(
        expected, marked(explained.get("layers"), "/cost/bits/name", "/cost/extrapolated"));
    assertRows(done("explain --bits 8,8", target).out(), "* ", expected);

    OutFolder out = new OutFolder(folder);
    String table = target + ".json";
    String write = "table --out " + folder.resolve(table);
    assertTrue(done(write + " --json", target).json().get("extrapolated").asBoolean());
    assertTrue(out.json(table).get("extrapolated").asBoolean());
    assertTrue(done(write, target).out().contains("extrapolated"));

    JsonNode found =
        done(
                "find-parameter --bits 8,8 --key clock_hz --from 1e6 --to 1e11 --latency 1ms --json",
                target)
            .json();
    assertTrue(found.get("extrapolated").asBoolean());
    assertTrue(found.at("/cost/latency_seconds").asDouble() <= 1e-3);
  }

  private static Set<String> marked(JsonNode layers, String name, String mark) {
    Set<String> names = new LinkedHashSet<>();
    for (JsonNode layer : layers) {
      if (layer.at(mark).asBoolean()) {
        names.add(layer.at(name).asText());
      }
    }
    return names;
  }

  /** Exactly the rows of these layers hold the mark. */
  private static void assertRows(String table, String mark, Set<String> expected) {
    Set<String> names = new LinkedHashSet<>();
    for (String layer : LAYERS) {
      for (String line : table.lines().toList()) {
        if (line.contains(" " + layer + " ") && line.contains(mark)) {
          names.add(layer);
        }
      }
    }
    assertEquals(expected, names, table);
  }

  @Test
  void aOneDimensionalConvolutionIsRefusedByName() throws IOException {
    OnnxNets net = new OnnxNets(3, 8, 8);
    String sequence = net.reshape("image", 0, 3, 64);
    String conv = net.conv("conv_over_time", sequence, new int[] {16, 3, 9}, ints("pads", 4, 4));
    String maps = net.reshape(conv, 0, 16, 8, 8);
    Path file = net.write(folder.resolve("one.onnx"), net.classifier(maps, 16, 10));
    services
        .run("simulate --model %s --target bismo-edge --bits 8,8", file)
        .assertRefused("conv_over_time");
  }

  @Test
  void aModelThatLeavesItsImageSizeOpenIsPricedAtTheOneStated() throws IOException {
    OnnxNets net = new OnnxNets(3, 0, 0);
    String conv = net.relu(net.conv("conv", "image", new int[] {8, 3, 3, 3}));
    Path file = net.write(folder.resolve("open.onnx"), net.classifier(conv, 8, 10));
    String open = "simulate --model %s --target bismo-edge --bits 8,8 ";
    services.run(open, file).assertRefused("--image-size");
    services.run(open + "--image-size wide", file).assertRefused("image size 'wide'");

    JsonNode small = services.run(open + "--image-size 34 --json", file).done().json();
    JsonNode wide = services.run(open + "--image-size 34x66 --json", file).done().json();
    assertTrue(cycles(wide) > 1.5 * cycles(small), wide + " against " + small);
  }

  private static long cycles(JsonNode simulated) {
    return simulated.at("/layers/0/cost/cycles").asLong();
  }

  @ParameterizedTest
  @CsvSource({
    "clock_hz, 1e6, 1e9, 7, --latency 7",
    "clock_hz, 1e6, 1e9, soon, --latency soon",
    "clock, 1e6, 1e9, 7ms, clock",
    "clock_hz, 1e9, 1e6, 7ms, lowest",
    "clock_hz, NaN, 1e6, 7ms, lowest NaN",
    "clock_hz, 1e6, 1e7, 1us, more than 1 us: allow higher values"
  })
  void badQuestionsForAParameterAreRefusedNamingTheOption(
      String key, String from, String to, String latency, String expected) {
    find(key, from, to, latency).assertRefused(expected);
  }

  @Test
  void theSmallestClockIsSaidInOneLine() {
    Captured run = find("clock_hz", "1e6", "1e9", "2ms").done();
    assertEquals(1, run.out().lines().count(), run.out());
    assertTrue(run.out().startsWith("clock_hz = "), run.out());
  }

  private static Captured find(String key, String from, String to, String latency) {
    return services.run(
        """
        find-parameter --model %s --target bitfusion --bits 4,4 --key %s --from %s --to %s
        --latency %s
        """,
        shapes, key, from, to, latency);
  }

  private static Captured done(String command, String target) {
    return services.run(command + " --model %s --target %s", shapes, target).done();
  }
}
