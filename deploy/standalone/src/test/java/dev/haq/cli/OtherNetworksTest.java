package dev.haq.cli;

import static dev.haq.cli.OnnxNets.integer;
import static dev.haq.cli.OnnxNets.ints;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Networks that are not MobileNets, from an ONNX file to the command's table and document: each
 * kind of layer has a cost, marked where the cost model is extrapolated, or is refused by name.
 */
class OtherNetworksTest {
  @TempDir static Path folder;
  private static Standalone standalone;
  private static Path shapes;

  @BeforeAll
  static void start() throws IOException {
    standalone =
        Standalone.start(
            Standalone.Options.inside(
                folder.resolve("data"), Optional.of(folder.resolve("sessions"))));
    shapes = everyShape();
  }

  @AfterAll
  static void stop() {
    standalone.close();
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
    JsonNode simulated = done("simulate", target, "--bits", "8,8", "--json").json();
    assertEquals(LAYERS.size(), simulated.get("layers").size());
    assertEquals(expected, marked(simulated.get("layers"), "/bits/name", "/extrapolated"));
    assertTrue(simulated.get("extrapolated").asBoolean());
    assertRows(done("simulate", target, "--bits", "8,8").out(), "(extrapolated)", expected);

    JsonNode explained = done("explain", target, "--bits", "8,8", "--json").json();
    assertEquals(
        expected, marked(explained.get("layers"), "/cost/bits/name", "/cost/extrapolated"));
    assertRows(done("explain", target, "--bits", "8,8").out(), "* ", expected);

    Path table = folder.resolve(target + ".json");
    JsonNode written = done("table", target, "--out", table.toString(), "--json").json();
    assertTrue(written.get("extrapolated").asBoolean());
    assertTrue(Json.tree(Files.readString(table)).get("extrapolated").asBoolean());
    assertTrue(done("table", target, "--out", table.toString()).out().contains("extrapolated"));

    String[] find = {
      "--bits", "8,8", "--key", "clock_hz", "--from", "1e6", "--to", "1e11", "--latency", "1ms"
    };
    JsonNode found = done("find-parameter", target, find).json();
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
    String conv = net.conv("conv_over_time", sequence, new int[] {8, 3, 9}, ints("pads", 4, 4));
    String maps = net.reshape(conv, 0, 8, 8, 8);
    Path file = net.write(folder.resolve("one.onnx"), net.classifier(maps, 8, 10));
    assertRefused(
        "conv_over_time",
        "simulate",
        "--model",
        file.toString(),
        "--target",
        "bismo-edge",
        "--bits",
        "8,8");
  }

  @Test
  void aModelThatLeavesItsImageSizeOpenIsPricedAtTheOneStated() throws IOException {
    OnnxNets net = new OnnxNets(3, 0, 0);
    String conv = net.relu(net.conv("conv", "image", new int[] {8, 3, 3, 3}));
    Path file = net.write(folder.resolve("open.onnx"), net.classifier(conv, 8, 10));
    String[] open = {
      "simulate", "--model", file.toString(), "--target", "bismo-edge", "--bits", "8,8"
    };
    assertRefused("--image-size", open);
    assertRefused("image size 'wide'", with(open, "--image-size", "wide"));

    JsonNode small = run(with(open, "--image-size", "34", "--json")).json();
    JsonNode wide = run(with(open, "--image-size", "34x66", "--json")).json();
    assertTrue(cycles(wide) > 1.5 * cycles(small), wide + " against " + small);
  }

  private static String[] with(String[] args, String... more) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private static long cycles(JsonNode simulated) {
    return simulated.at("/layers/0/cost/cycles").asLong();
  }

  @Test
  void badQuestionsForAParameterAreRefusedNamingTheOption() {
    assertRefused("--latency 7", find("clock_hz", "1e6", "1e9", "7"));
    assertRefused("--latency soon", find("clock_hz", "1e6", "1e9", "soon"));
    assertRefused("clock", find("clock", "1e6", "1e9", "7ms"));
    assertRefused("lowest", find("clock_hz", "1e9", "1e6", "7ms"));
    assertRefused("lowest NaN", find("clock_hz", "NaN", "1e6", "7ms"));
    assertRefused("raise highest", find("clock_hz", "1e6", "1e7", "1us"));
  }

  private static String[] find(String key, String from, String to, String latency) {
    return new String[] {
      "find-parameter",
      "--model",
      shapes.toString(),
      "--target",
      "bitfusion",
      "--bits",
      "4,4",
      "--key",
      key,
      "--from",
      from,
      "--to",
      to,
      "--latency",
      latency
    };
  }

  @Test
  void theSmallestClockIsSaidInOneLine() {
    Captured run = run(find("clock_hz", "1e6", "1e9", "2ms"));
    assertEquals(0, run.status(), run.err());
    assertEquals(1, run.out().lines().count(), run.out());
    assertTrue(run.out().startsWith("clock_hz = "), run.out());
  }

  private static void assertRefused(String expected, String... args) {
    Captured run = run(args);
    assertEquals(2, run.status(), run.err());
    assertEquals("", run.out());
    assertEquals(1, run.complaints().size(), run.err());
    assertTrue(run.complaints().get(0).contains(expected), run.err());
  }

  private static Captured done(String command, String target, String... more) {
    List<String> args =
        new ArrayList<>(List.of(command, "--model", shapes.toString(), "--target", target));
    args.addAll(List.of(more));
    if (command.equals("find-parameter")) {
      args.add("--json");
    }
    Captured run = run(args.toArray(String[]::new));
    assertEquals(0, run.status(), run.err());
    return run;
  }

  private static Captured run(String... args) {
    String[] all = Arrays.copyOf(args, args.length + 2);
    all[args.length] = "--server";
    all[args.length + 1] = standalone.url().toString();
    return Captured.run(all);
  }
}
