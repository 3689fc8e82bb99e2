package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.model.v1.Resource;
import dev.haq.standalone.Standalone;
import dev.haq.wire.NpyFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
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

/** The command against the four services, real gRPC between them. */
class CommandTest {
  @TempDir static Path folder;
  private static Standalone standalone;
  private static int layers;

  @BeforeAll
  static void start() {
    standalone =
        Standalone.start(
            Standalone.Options.inside(
                folder.resolve("data"), Optional.of(folder.resolve("sessions"))));
    layers =
        new GatewayClient(standalone.url()).model("builtin:shapes").getNetwork().getLayersCount();
  }

  @AfterAll
  static void stop() {
    standalone.close();
  }

  @Test
  void theSameSeedGivesTheSameFiles() throws IOException {
    Captured first = search("first", "--episodes", "23", "--images", "32");
    assertEquals(0, first.status(), first.err());
    Captured second = search("second", "--episodes", "23", "--images", "32", "--json");
    assertEquals(0, second.status(), second.err());
    for (String file : List.of("policy.json", "policy.csv", "episodes.csv")) {
      assertEquals(read("first", file), read("second", file), file);
    }
    assertEquals(23 + 1, read("first", "episodes.csv").lines().count());
    assertEquals(23, first.out().lines().filter(line -> line.startsWith("episode ")).count());
  }

  @Test
  void theDocumentOfASearchHoldsWhatWasFound() {
    Captured run = search("document", "--episodes", "3", "--images", "32", "--json");
    assertEquals(0, run.status(), run.err());
    JsonNode document = run.json();
    assertEquals("SUCCEEDED", document.at("/session/state").asText());
    assertEquals(3, document.get("episodes").asInt());
    assertTrue(document.at("/best/cost_ratio").asDouble() <= 0.6);
    assertTrue(document.at("/baseline/accuracy/top1").asDouble() > 50);
    assertTrue(document.at("/best/accuracy/images").asInt() > 32, "held-out images, all of them");
    assertEquals(4, document.get("uniform").size());
    JsonNode uniform = document.at("/uniform/3/policy/layers");
    assertEquals(layers, uniform.size());
    assertEquals(8, uniform.at("/0/weight_bits").asInt());
    assertEquals(4, uniform.at("/1/weight_bits").asInt());
    assertEquals(document.at("/best/policy"), Json.tree(readUnchecked("document", "policy.json")));
  }

  @Test
  void whereNoImageIsHeldOutTheTablesSaySo() {
    Captured none =
        search(
            "none",
            "--episodes",
            "2",
            "--images",
            "32",
            "--held-out",
            "0",
            "--further-target",
            "bitfusion=0.9");
    assertEquals(0, none.status(), none.err());
    assertTrue(none.out().contains("top-1 on 32 search images (none held out)"), none.out());
    assertTrue(none.out().contains("top-1 on search images (none held out);"), none.out());
    assertFalse(none.out().contains("held-out"), none.out());
  }

  @Test
  void aSearchEndsEarlyWhenItsGoalIsReached() {
    Captured run =
        search(
            "goal",
            "--episodes",
            "20",
            "--images",
            "32",
            "--goal",
            "1",
            "--patience",
            "9",
            "--max-time",
            "1h",
            "--learn-while-evaluating",
            "--json");
    assertEquals(0, run.status(), run.err());
    assertEquals("GOAL", run.json().at("/session/end_reason").asText());
    assertTrue(run.json().get("episodes").asInt() < 20);
    assertEquals(3600, run.json().at("/session/spec/early_ends/wall_seconds").asDouble());
  }

  @Test
  void modelSizeIsSearchedOverWeightsAlone() {
    Captured run =
        run(
            "search",
            "--model",
            "builtin:shapes",
            "--data",
            "builtin:shapes",
            "--target",
            "bismo-edge",
            "--resource",
            "size",
            "--budget",
            "0.2",
            "--episodes",
            "2",
            "--images",
            "32",
            "--agent",
            "random",
            "--out",
            folder.resolve("size").toString(),
            "--json");
    assertEquals(0, run.status(), run.err());
    assertTrue(run.json().at("/best/policy/layers/1/activation_bits").isNull());
    assertTrue(run.json().at("/best/cost_ratio").asDouble() <= 0.2);
  }

  @Test
  void aPolicyWithFloatActivationsHasASizeAndNoOtherCost() throws IOException {
    Captured run =
        search(
            "float", "--resource", "size", "--budget", "0.2", "--episodes", "2", "--images", "32");
    assertEquals(0, run.status(), run.err());
    for (String line : read("float", "policy.csv").lines().skip(1).toList()) {
      assertTrue(line.endsWith(",,"), line);
    }
    List<String> episodes = read("float", "episodes.csv").lines().toList();
    int cycles = List.of(episodes.get(0).split(",")).indexOf("cycles");
    String[] first = episodes.get(1).split(",");
    assertEquals(List.of("", "", ""), List.of(first).subList(cycles, cycles + 3));
    assertTrue(Double.parseDouble(first[cycles + 3]) > 0, episodes.get(1));
    JsonNode best = Json.tree(read("float", "session.json")).at("/best/cost");
    assertEquals(List.of("model_size_bytes"), names(best));

    String policy = folder.resolve("float/policy.json").toString();
    Captured table = onEdge("simulate", "--policy", policy);
    assertEquals(0, table.status(), table.err());
    assertTrue(table.out().lines().findFirst().orElseThrow().endsWith("size kB"), table.out());
    assertTrue(table.out().strip().endsWith("kB"), table.out());
    JsonNode document = onEdge("simulate", "--policy", policy, "--json").json();
    assertEquals(best, document.at("/total"));
    assertEquals(List.of("model_size_bytes"), names(document.at("/layers/0/cost")));
    Captured explained = onEdge("explain", "--policy", policy);
    assertEquals(2, explained.status());
    assertTrue(explained.err().contains("has float activations"), explained.err());
    assertTrue(explained.err().contains("--bits 8,8"), explained.err());
  }

  private static List<String> names(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static Captured onEdge(String command, String... more) {
    List<String> args =
        new ArrayList<>(List.of(command, "--model", "builtin:shapes", "--target", "bismo-edge"));
    args.addAll(List.of(more));
    return run(args.toArray(String[]::new));
  }

  @Test
  void aPolicyIsWithinBudgetWhenItMeetsAllOfThem() throws IOException {
    Captured run =
        run(
            "search",
            "--model",
            "builtin:shapes",
            "--data",
            "builtin:shapes",
            "--target",
            "bitfusion",
            "--resource",
            "size",
            "--budget",
            "0.9",
            "--also",
            "energy=0.85",
            "--also",
            "latency=1s",
            "--episodes",
            "2",
            "--images",
            "32",
            "--agent",
            "uniform",
            "--out",
            folder.resolve("both").toString(),
            "--json");
    assertEquals(0, run.status(), run.err());
    JsonNode eight = run.json().at("/uniform/0");
    assertEquals(8, eight.get("bits").asInt());
    assertTrue(eight.get("cost_ratio").asDouble() < 0.9, "it meets the main budget");
    double energy = eight.at("/cost/energy_joules").asDouble();
    for (JsonNode row : run.json().get("uniform")) {
      assertEquals(
          row.at("/cost/energy_joules").asDouble() <= 0.85 * energy,
          row.get("meets_budget").asBoolean(),
          row.toString());
    }
    assertFalse(eight.get("meets_budget").asBoolean());
    assertTrue(run.json().at("/best/meets_budget").asBoolean());
    for (String line : read("both", "policy.csv").lines().skip(1).toList()) {
      assertFalse(line.endsWith(","), line);
    }
  }

  @Test
  void anOutThatCannotBeWrittenIsRefusedBeforeAnythingIsDone() throws IOException {
    Path empty = Files.createDirectories(folder.resolve("empty.onnx"));
    Path file = Files.writeString(folder.resolve("file"), "text");
    String below = file.resolve("x.csv").toString();
    Captured export = export("onnx", empty, "--bits", "8,8", "--data", "nowhere");
    assertEquals(2, export.status());
    assertTrue(export.err().contains("is a folder: give the name of a file"), export.err());
    assertTrue(Files.isDirectory(empty));
    for (Captured run :
        List.of(
            export("csv", Path.of(below), "--bits", "8,8"),
            onEdge("table", "--out", below),
            run("sensitivity", "--model", "builtin:shapes", "--data", "nowhere", "--out", below))) {
      assertEquals(2, run.status(), run.err());
      assertTrue(run.err().contains("file is not a folder: name a file in one"), run.err());
    }
  }

  @Test
  void aSecondSearchIntoTheSameFolderIsRefusedAndLeavesTheFirstAlone() {
    Path out = folder.resolve("shared");
    SearchStore first = SearchStore.in(out);
    Captured second =
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
            "--out",
            out.toString(),
            "--data-dir",
            folder.resolve("data").toString());
    assertEquals(2, second.status(), second.err());
    assertTrue(
        second.err().contains("another search writes there: give another --out"), second.err());
    assertTrue(Files.isDirectory(first.folder()));
    first.close();
    assertFalse(Files.exists(out));
  }

  @Test
  void dataOfMoreThanTwoGigabytesAreTaken() throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), standalone.url().getPort())) {
      socket.setSoTimeout(30_000);
      socket
          .getOutputStream()
          .write(
              String.join(
                      "\r\n",
                      "POST /v1/datasets?name=large HTTP/1.1",
                      "Host: localhost",
                      "Content-Length: 5000000000",
                      "Expect: 100-continue",
                      "\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      assertEquals(
          "HTTP/1.1 100",
          new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII));
    }
  }

  @Test
  void sizesOfSharedWeightsCountTheirCodebooks() {
    Captured run =
        run(
            "search",
            "--model",
            "builtin:shapes",
            "--data",
            "builtin:shapes",
            "--target",
            "bismo-edge",
            "--resource",
            "size",
            "--budget",
            "0.25",
            "--recipe",
            "kmeans",
            "--episodes",
            "2",
            "--images",
            "32",
            "--agent",
            "random",
            "--out",
            folder.resolve("kmeans").toString(),
            "--json");
    assertEquals(0, run.status(), run.err());
    double expected = 0;
    for (JsonNode layer : run.json().at("/best/policy/layers")) {
      expected += 4 * Math.pow(2, layer.get("weight_bits").asInt());
    }
    Session session =
        Json.parse(run.json().get("session").toString(), Session.newBuilder()).build();
    GatewayClient client = new GatewayClient(standalone.url());
    SimulateRequest weightsAlone =
        SimulateRequest.newBuilder()
            .setTarget(session.getSpec().getTarget())
            .setNetwork(client.model("builtin:shapes").getNetwork())
            .setPolicy(session.getBest().getPolicy())
            .addResources(Resource.MODEL_SIZE)
            .build();
    expected += client.simulate(weightsAlone).getTotal().getModelSizeBytes();
    assertEquals(expected, run.json().at("/session/best/cost/model_size_bytes").asDouble());
    assertEquals(expected, run.json().at("/best/cost/model_size_bytes").asDouble());
    assertTrue(run.json().at("/best/cost_ratio").asDouble() <= 0.25);
    String policy = folder.resolve("kmeans/policy.json").toString();
    Captured simulated = onEdge("simulate", "--policy", policy, "--codebooks", "--json");
    assertEquals(0, simulated.status(), simulated.err());
    assertEquals(expected, simulated.json().at("/total/model_size_bytes").asDouble());
    Captured table =
        onEdge(
            "table",
            "--resource",
            "size",
            "--codebooks",
            "--out",
            folder.resolve("kmeans/size.npy").toString(),
            "--json");
    assertEquals(0, table.status(), table.err());
    assertTrue(table.json().has("fixed"), table.out());
  }

  @Test
  void sensitivitiesAreRankedWrittenAndKnownTheSecondTime() throws IOException {
    Path csv = folder.resolve("s/sensitivity.csv");
    String[] command = {
      "sensitivity",
      "--model",
      "builtin:shapes",
      "--data",
      "builtin:shapes",
      "--images",
      "32",
      "--bits",
      "8,2",
      "--out",
      csv.toString()
    };
    Captured table = run(command);
    assertEquals(0, table.status(), table.err());
    assertEquals(1 + 2 * 2 * layers, Files.readAllLines(csv).size());
    // A line of what it is, the headings, a rule, the rows, a line of how many more.
    assertEquals(3 + 20 + 1, table.out().lines().count(), table.out());
    String[] repeated = Arrays.copyOf(command, command.length + 1);
    repeated[command.length] = "--json";
    Captured second = run(repeated);
    assertEquals(0, second.status(), second.err());
    JsonNode entries = second.json().get("entries");
    assertEquals(2 * 2 * layers, entries.size());
    entries.forEach(entry -> assertTrue(entry.get("cached").asBoolean()));
    assertEquals(32, second.json().at("/baseline/images").asInt());
    assertEquals(
        2,
        run("sensitivity", "--model", "builtin:shapes", "--data", "builtin:shapes", "--bits", "2,9")
            .status());
  }

  @Test
  void aModelAndItsPolicyAreExported() throws IOException {
    Path policy = folder.resolve("exported.json");
    Captured json = export("json", policy, "--bits", "5,6");
    assertEquals(0, json.status(), json.err());
    Path onnx = folder.resolve("exports/shapes.onnx");
    Captured run =
        export(
            "onnx",
            onnx,
            "--policy",
            policy.toString(),
            "--data",
            "builtin:shapes",
            "--images",
            "64",
            "--json");
    assertEquals(0, run.status(), run.err());
    assertEquals(Files.size(onnx), run.json().get("size_bytes").asLong());
    assertEquals(64, run.json().at("/file_accuracy/images").asInt());
    assertEquals(
        run.json().at("/evaluated_accuracy/top1").asDouble(),
        run.json().at("/file_accuracy/top1").asDouble(),
        2);
    // What is exported is a model that can be imported: its layers are where they were.
    assertEquals(
        layers,
        new GatewayClient(standalone.url())
            .importModel(onnx, "again", Optional.empty(), "again")
            .getNetwork()
            .getLayersCount());
  }

  @Test
  void anExportThatCannotBeIsRefusedAndLeavesNoFile() {
    Path out = folder.resolve("refused.onnx");
    Captured noData = export("onnx", out, "--bits", "8,8");
    assertEquals(2, noData.status());
    assertTrue(noData.err().contains("--data"), noData.err());
    assertEquals(2, export("pdf", out, "--bits", "8,8").status());
    Captured recipe =
        export("onnx", out, "--bits", "8,8", "--data", "builtin:shapes", "--recipe", "magic");
    assertEquals(2, recipe.status());
    assertFalse(Files.exists(out));
  }

  private static Captured export(String format, Path out, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "export",
                "--model",
                "builtin:shapes",
                "--format",
                format,
                "--out",
                out.toString()));
    args.addAll(List.of(more));
    return run(args.toArray(String[]::new));
  }

  @Test
  void simulationAndTableAgree() throws IOException {
    Path table = folder.resolve("t.npy");
    Captured written =
        run(
            "table",
            "--model",
            "builtin:shapes",
            "--target",
            "bismo-cloud",
            "--out",
            table.toString(),
            "--json");
    assertEquals(0, written.status(), written.err());
    NpyFile cells = NpyFile.parse("t.npy", Files.readAllBytes(table));
    assertEquals(List.of(layers, 8, 8), cells.shape());
    double sum = 0;
    for (int layer = 0; layer < layers; layer++) {
      sum += cells.values()[layer * 64 + 3 * 8 + 4];
    }
    Captured simulated =
        run(
            "simulate",
            "--model",
            "builtin:shapes",
            "--target",
            "bismo-cloud",
            "--bits",
            "4,5",
            "--json");
    assertEquals(0, simulated.status(), simulated.err());
    assertEquals(sum, simulated.json().at("/total/cycles").asDouble());
    Captured measured =
        run(
            "simulate",
            "--model",
            "builtin:shapes",
            "--target",
            table.toString(),
            "--clock-hz",
            "2e8",
            "--bits",
            "4,5",
            "--json");
    assertEquals(0, measured.status(), measured.err());
    assertEquals(
        simulated.json().at("/total/latency_seconds").asDouble(),
        measured.json().at("/total/latency_seconds").asDouble(),
        1e-12);
  }

  @Test
  void aPolicyIsExplainedOnAMachineOfTheUsersOwn() throws IOException {
    Captured shown = run("targets", "--show", "variable-bit-npu");
    assertEquals(0, shown.status(), shown.err());
    Path own = Files.writeString(folder.resolve("mine.yaml"), shown.out());
    Captured table =
        run("explain", "--model", "builtin:shapes", "--target", own.toString(), "--bits", "4,8");
    assertEquals(0, table.status(), table.err());
    assertTrue(table.out().contains("extrapolated"), table.out());
    Captured document =
        run(
            "explain",
            "--model",
            "builtin:shapes",
            "--target",
            "bitfusion",
            "--set",
            "bit_fusion.depthwise=per_group",
            "--set",
            "clock_hz=1e9",
            "--bits",
            "4,4",
            "--json");
    assertEquals(0, document.status(), document.err());
    assertEquals(layers, document.json().get("layers").size());
    assertTrue(document.json().at("/layers/0/cost/energy_split/dram_joules").asDouble() > 0);
    assertEquals(4, document.json().at("/layers/0/counterfactuals").size());
    Captured wrong =
        run(
            "simulate",
            "--model",
            "builtin:shapes",
            "--target",
            "bitfusion",
            "--set",
            "clock=1e9",
            "--bits",
            "4,4");
    assertEquals(2, wrong.status());
    assertTrue(wrong.err().contains("clock"), wrong.err());
  }

  @Test
  void evaluationComparesAccuracyAndTime() {
    Captured run =
        run(
            "evaluate",
            "--model",
            "builtin:shapes",
            "--data",
            "builtin:shapes",
            "--images",
            "64",
            "--split",
            "held-out",
            "--bits",
            "8,8",
            "--json");
    assertEquals(0, run.status(), run.err());
    assertEquals(64, run.json().at("/float/images").asInt());
    assertEquals(64, run.json().at("/quantized/images").asInt());
    assertTrue(run.json().get("float_seconds").asDouble() > 0);
    assertTrue(run.json().get("time_ratio").asDouble() > 0);
  }

  @Test
  void targetsAreListed() {
    Captured table = run("targets");
    assertEquals(0, table.status(), table.err());
    assertTrue(table.out().contains("bismo-edge"), table.out());
    Captured document = run("targets", "--json");
    assertTrue(document.json().get("targets").size() >= 2);
  }

  @Test
  void sessionsAreListedAndWatched() {
    search("listed", "--episodes", "2", "--images", "32");
    Captured sessions = run("sessions", "--json");
    String id = sessions.json().at("/sessions/0/id").asText();
    Captured watched = run("watch", id, "--after", "1", "--json");
    assertEquals(0, watched.status(), watched.err());
    assertEquals(1, watched.json().get("episodes").size());
    assertRefused("no session", "watch", "nobody");
  }

  @Test
  void anUnknownTargetIsRefusedWithTheKnownOnes() {
    assertRefused(
        "bismo-edge", "simulate", "--model", "builtin:shapes", "--target", "tpu", "--bits", "8,8");
  }

  @Test
  void aBudgetThatCannotBeMetIsRefusedWithTheSmallest() {
    Captured run = search("tiny", "--budget", "0.01", "--episodes", "2");
    assertEquals(2, run.status());
    assertEquals(1, run.complaints().size(), run.err());
    assertTrue(run.complaints().get(0).matches(".*[0-9].*"), run.err());
  }

  @Test
  void aRefusedSearchLeavesNothingBehind() {
    Path out = folder.resolve("refused");
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
            "0.01",
            "--out",
            out.toString(),
            "--data-dir",
            folder.resolve("data").toString());
    assertEquals(2, run.status(), run.err());
    assertFalse(Files.exists(out), "the folder of a search that never began");
  }

  @Test
  void theBestRecipeWithoutTrainingBeatsThePapersAtThreeBitWeights() throws IOException {
    double haq = threeBits("haq").json().at("/quantized/top1").asDouble();
    Captured best = threeBits("ptq");
    assertEquals("ptq@2", best.json().at("/recipe").asText());
    assertTrue(best.json().at("/quantized/top1").asDouble() > haq, "above " + haq);
  }

  private static Captured threeBits(String recipe) {
    Captured run =
        run(
            "evaluate",
            "--model",
            "builtin:shapes",
            "--data",
            "builtin:shapes",
            "--split",
            "search",
            "--images",
            "200",
            "--bits",
            "3,8",
            "--recipe",
            recipe,
            "--json");
    assertEquals(0, run.status(), run.err());
    return run;
  }

  @Test
  void recipesAndClipsThatThereAreNotAreRefused() {
    assertRefused("ptq@2", evaluate("builtin:shapes", "builtin:shapes", "--recipe", "cake"));
    assertRefused("ptq@2", evaluate("builtin:shapes", "builtin:shapes", "--recipe", "ptq@9"));
    assertRefused("mse", evaluate("builtin:shapes", "builtin:shapes", "--weight-clip", "max"));
  }

  @Test
  void bitsThatDoNotExistAreRefused() {
    assertRefused(
        "--bits 17,8",
        "simulate",
        "--model",
        "builtin:shapes",
        "--target",
        "bismo-edge",
        "--bits",
        "17,8");
    // Which of the others there are is the target's, or the recipe's, to say.
    assertRefused(
        "9", "simulate", "--model", "builtin:shapes", "--target", "bismo-edge", "--bits", "9,8");
    assertRefused("9", evaluate("builtin:shapes", "builtin:shapes", "--bits", "9,8"));
  }

  @Test
  void aMachineOfSixteenBitsIsSimulatedAtSixteen() throws IOException {
    String wide =
        run("targets", "--show", "variable-bit-npu")
            .out()
            .replaceFirst("(?m)^activation_bits:.*$", "activation_bits: [8, 16]");
    Path own = Files.writeString(folder.resolve("wide.yaml"), wide);
    Captured run =
        run(
            "simulate",
            "--model",
            "builtin:shapes",
            "--target",
            own.toString(),
            "--bits",
            "8,16",
            "--json");
    assertEquals(0, run.status(), run.err());
    assertEquals(16, run.json().at("/policy/layers/1/activation_bits").asInt());
  }

  @Test
  void aPolicyOfAnotherModelIsRefused() throws IOException {
    Path policy = folder.resolve("other.json");
    Files.writeString(
        policy, "{\"model\": \"sha256:00\", \"layers\": [{\"name\": \"a\", \"weight_bits\": 8}]}");
    assertRefused(
        "another model",
        "simulate",
        "--model",
        "builtin:shapes",
        "--target",
        "bismo-edge",
        "--policy",
        policy.toString());
  }

  @Test
  void badModelsAreRefused() throws IOException {
    Path text = Files.writeString(folder.resolve("text.onnx"), "this is no network");
    assertRefused("text.onnx", evaluate(text.toString(), "builtin:shapes"));
    assertRefused(
        "no such file", evaluate(folder.resolve("gone.onnx").toString(), "builtin:shapes"));
    assertRefused("sha256:00", evaluate("sha256:00", "builtin:shapes"));
  }

  @Test
  void badDataAreRefused() throws IOException {
    Path empty = Files.createDirectories(folder.resolve("empty"));
    assertRefused("no images", evaluate("builtin:shapes", empty.toString()));
    Path broken = Files.writeString(folder.resolve("broken.bin"), "17 bytes, no more");
    assertRefused("broken.bin", evaluate("builtin:shapes", broken.toString()));
    assertRefused("no such file", evaluate("builtin:shapes", folder.resolve("gone").toString()));
  }

  private static Captured search(String out, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "search",
                "--model",
                "builtin:shapes",
                "--data",
                "builtin:shapes",
                "--target",
                "bismo-edge",
                "--seed",
                "5",
                "--out",
                folder.resolve(out).toString()));
    args.addAll(List.of(more));
    if (!args.contains("--budget")) {
      args.addAll(List.of("--budget", "0.6"));
    }
    return run(args.toArray(String[]::new));
  }

  private static String[] evaluate(String model, String data, String... more) {
    List<String> args = new ArrayList<>(List.of("evaluate", "--model", model, "--data", data));
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  private static void assertRefused(String expected, String... args) {
    Captured run = run(args);
    assertEquals(2, run.status(), run.err());
    assertEquals("", run.out());
    assertEquals(1, run.complaints().size(), run.err());
    assertTrue(run.complaints().get(0).contains(expected), run.err());
    assertFalse(run.err().contains("\tat "), run.err());
  }

  private static Captured run(String... args) {
    String[] all = Arrays.copyOf(args, args.length + 2);
    all[args.length] = "--server";
    all[args.length + 1] = standalone.url().toString();
    return Captured.run(all);
  }

  private static String read(String out, String file) throws IOException {
    return Files.readString(folder.resolve(out).resolve(file));
  }

  private static String readUnchecked(String out, String file) {
    try {
      return read(out, file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
