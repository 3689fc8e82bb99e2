package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.Network;
import dev.haq.proto.model.v1.Resource;
import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code front} against the four services, real gRPC between them. */
class FrontCommandTest {
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

  @Test
  void policiesOfEveryCostAreTabledAndWrittenForOtherCommands() throws IOException {
    Path out = folder.resolve("out");
    Captured run = front("--points", "5", "--evaluate", "--out", out.toString());
    assertEquals(0, run.status(), run.err());
    List<String> lines = run.out().lines().toList();
    assertTrue(lines.get(0).matches("# +latency +of 8 bit +mean W +mean A +divergence +top-1"));
    assertTrue(lines.get(6).strip().startsWith("5 "), run.out());
    assertTrue(lines.get(8).startsWith("no policy predicted to diverge as little as one of these"));
    assertTrue(
        lines.get(9).startsWith("top-1 on 8 search images (none held out); float "), run.out());
    assertEquals(
        "wrote front.csv, policy-001.json to policy-005.json and front.json into " + out,
        lines.get(10));
    assertEquals(
        List.of(
            "front.csv",
            "front.json",
            "policy-001.json",
            "policy-002.json",
            "policy-003.json",
            "policy-004.json",
            "policy-005.json"),
        names(out));

    JsonNode points = Json.tree(Files.readString(out.resolve("front.json"))).get("points");
    String[] row = Files.readAllLines(out.resolve("front.csv")).get(3).split(",", -1);
    String policy = out.resolve("policy-003.json").toString();
    JsonNode cost =
        run("simulate", "--model", "builtin:shapes", "--target", "bismo-edge", "--policy", policy)
            .json();
    double latency = cost.at("/total/latency_seconds").asDouble();
    assertEquals(latency, points.at("/2/cost").asDouble());
    assertEquals(latency, Double.parseDouble(row[1]));
    JsonNode judged =
        run(
                "evaluate",
                "--model",
                "builtin:shapes",
                "--data",
                "builtin:shapes",
                "--images",
                "8",
                "--held-out",
                "0",
                "--split",
                "search",
                "--policy",
                policy)
            .json();
    double top1 = judged.at("/quantized/top1").asDouble();
    assertEquals(top1, points.at("/2/accuracy/top1").asDouble());
    assertEquals(top1, Double.parseDouble(row[7]));
    assertEquals("policy-003.json", row[10]);

    Captured fewer = front("--points", "3", "--out", out.toString(), "--json");
    assertEquals(0, fewer.status(), fewer.err());
    assertEquals(2 + 3, names(out).size(), "what the earlier run has left is gone");
    ObjectNode document = (ObjectNode) Json.tree(Files.readString(out.resolve("front.json")));
    document.remove("files");
    assertEquals(document, fewer.json());
    assertEquals(points.at("/0/policy"), document.at("/points/0/policy"));
    assertEquals(points.at("/2/policy"), document.at("/points/1/policy"));
    assertEquals(points.at("/4/policy"), document.at("/points/2/policy"));
    assertFalse(document.at("/points/0").has("accuracy"));
  }

  @Test
  void itNeedsNoServer() {
    Captured inside =
        Captured.run(
            arguments("--points", "2", "--json", "--data-dir", folder.resolve("data").toString()));
    assertEquals(0, inside.status(), inside.err());
    assertEquals(
        front("--points", "2", "--json").json().get("points"), inside.json().get("points"));
  }

  @Test
  void sizesOfSharedWeightsHaveTheirCodebooksInThem() {
    Captured run = front("--points", "2", "--resource", "size", "--recipe", "kmeans", "--json");
    assertEquals(0, run.status(), run.err());
    GatewayClient client = new GatewayClient(standalone.url());
    Network network = client.model("builtin:shapes").getNetwork();
    for (JsonNode point : run.json().get("points")) {
      assertFalse(point.has("mean_activation_bits"));
      double expected =
          client
              .simulate(
                  SimulateRequest.newBuilder()
                      .setTarget(TargetRef.newBuilder().setName("bismo-edge"))
                      .setNetwork(network)
                      .setPolicy(
                          PolicyFile.parse(
                              point.get("policy").toString(), "front", "builtin:shapes"))
                      .setCountCodebooks(true)
                      .addResources(Resource.MODEL_SIZE)
                      .build())
              .getTotal()
              .getModelSizeBytes();
      assertEquals(expected, point.get("cost").asDouble());
      assertTrue(point.get("mean_weight_bits").asDouble() <= 8);
    }
  }

  @Test
  void wrongArgumentsAreRefusedInOneLine() throws IOException {
    String file = Files.writeString(folder.resolve("file"), "text").toString();
    refused("--points 1: use 2 to 1000", front("--points", "1"));
    refused("--resource money", front("--resource", "money"));
    refused("file is not a folder: name a folder in one", front("--out", file));
    refused(
        "--images and --calibration-images must not be negative",
        front("--calibration-images", "-1"));
    refused("recipe", front("--recipe", "cake"));
  }

  private static void refused(String why, Captured run) {
    assertEquals(2, run.status(), run.err());
    assertEquals(1, run.complaints().size(), run.err());
    assertTrue(run.err().contains(why), run.err());
    assertEquals("", run.out());
  }

  private static List<String> names(Path out) throws IOException {
    try (Stream<Path> files = Files.list(out)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static String[] arguments(String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "front",
                "--model",
                "builtin:shapes",
                "--data",
                "builtin:shapes",
                "--images",
                "8",
                "--held-out",
                "0",
                "--target",
                "bismo-edge"));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private static Captured front(String... more) {
    List<String> all = new ArrayList<>(List.of(arguments(more)));
    all.addAll(List.of("--server", standalone.url().toString()));
    return Captured.run(all.toArray(String[]::new));
  }

  /** Another command, its document on standard output. */
  private static Captured run(String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--json", "--server", standalone.url().toString()));
    Captured run = Captured.run(all.toArray(String[]::new));
    assertEquals(0, run.status(), run.err());
    return run;
  }
}
