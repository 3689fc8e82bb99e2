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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code front} against the four services, real gRPC between them. */
class FrontCommandTest {
  private static final String FRONT =
      """
      front --model builtin:shapes --data builtin:shapes --images 8 --held-out 0
      --target bismo-edge
      """;

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  private static Captured front(String more, Object... values) {
    return services.run(FRONT + more, values);
  }

  @Test
  void policiesOfEveryCostAreTabledAndWrittenForOtherCommands() {
    OutFolder out = new OutFolder(folder.resolve("out"));
    Captured run = front("--points 5 --evaluate --out %s", out).done();
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
        Set.of(
            "front.csv",
            "front.json",
            "policy-001.json",
            "policy-002.json",
            "policy-003.json",
            "policy-004.json",
            "policy-005.json"),
        out.names());

    JsonNode points = out.json("front.json").get("points");
    assertEquals(5, out.csv("front.csv").size());
    Map<String, String> row = out.csv("front.csv").get(2);
    assertEquals("policy-003.json", row.get("policy"));
    Path policy = out.path().resolve("policy-003.json");
    double latency =
        services
            .run("simulate --model builtin:shapes --target bismo-edge --policy %s --json", policy)
            .done()
            .json()
            .at("/total/latency_seconds")
            .asDouble();
    assertEquals(latency, points.at("/2/cost").asDouble());
    assertEquals(latency, Double.parseDouble(row.get("latency_seconds")));
    double top1 =
        services
            .run(
                """
                evaluate --model builtin:shapes --data builtin:shapes --images 8 --held-out 0
                --split search --policy %s --json
                """,
                policy)
            .done()
            .json()
            .at("/quantized/top1")
            .asDouble();
    assertEquals(top1, points.at("/2/accuracy/top1").asDouble());
    assertEquals(top1, Double.parseDouble(row.get("top1")));

    Captured fewer = front("--points 3 --out %s --json", out).done();
    assertEquals(2 + 3, out.names().size(), "what the earlier run has left is gone");
    ObjectNode document = (ObjectNode) out.json("front.json");
    document.remove("files");
    assertEquals(document, fewer.json());
    assertEquals(points.at("/0/policy"), document.at("/points/0/policy"));
    assertEquals(points.at("/2/policy"), document.at("/points/1/policy"));
    assertEquals(points.at("/4/policy"), document.at("/points/2/policy"));
    assertFalse(document.at("/points/0").has("accuracy"));
  }

  @Test
  void itNeedsNoServer() {
    JsonNode inside =
        Captured.run(FRONT + "--points 2 --json --data-dir %s", services.dataDir()).done().json();
    assertEquals(front("--points 2 --json").done().json().get("points"), inside.get("points"));
  }

  @Test
  void sizesOfSharedWeightsHaveTheirCodebooksInThem() {
    JsonNode points =
        front("--points 2 --resource size --recipe kmeans --json").done().json().get("points");
    assertEquals(2, points.size());
    GatewayClient client = services.client();
    Network network = client.model("builtin:shapes").getNetwork();
    for (JsonNode point : points) {
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
    Path file = Files.writeString(folder.resolve("file"), "text");
    front("--points 1").assertRefused("--points 1: use 2 to 1000");
    front("--resource money").assertRefused("--resource money");
    front("--out %s", file).assertRefused("file is not a folder: name a folder in one");
    front("--calibration-images -1")
        .assertRefused("--images and --calibration-images must not be negative");
    front("--recipe cake").assertRefused("recipe");
  }
}
