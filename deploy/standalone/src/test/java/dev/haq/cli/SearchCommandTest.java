package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.model.v1.Resource;
import dev.haq.wire.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class SearchCommandTest {
  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  private static OutFolder out(String name) {
    return new OutFolder(folder.resolve(name));
  }

  /** Into a folder of this name, in 32 images. */
  private static Captured search(String out, String more) {
    return services.run(
        "search --model builtin:shapes --data builtin:shapes --images 32 --seed 5 --out %s " + more,
        out(out));
  }

  private static Captured onEdge(String out, String more) {
    return search(out, "--target bismo-edge --budget 0.6 " + more);
  }

  @Test
  void theSameSeedGivesTheSameFiles() {
    Captured first = onEdge("first", "--episodes 23").done();
    onEdge("second", "--episodes 23 --json").done();
    for (String file : List.of("policy.json", "policy.csv", "episodes.csv")) {
      assertEquals(out("first").text(file), out("second").text(file), file);
    }
    assertEquals(23, out("first").csv("episodes.csv").size());
    assertEquals(23, first.episodes().size());
  }

  @Test
  void theDocumentOfASearchHoldsWhatWasFound() {
    JsonNode document = onEdge("document", "--episodes 3 --json").done().json();
    assertEquals("SUCCEEDED", document.at("/session/state").asText());
    assertEquals(3, document.get("episodes").asInt());
    assertTrue(document.at("/best/cost_ratio").asDouble() <= 0.6);
    assertTrue(document.at("/baseline/accuracy/top1").asDouble() > 50);
    assertTrue(document.at("/best/accuracy/images").asInt() > 32, "held-out images, all of them");
    assertEquals(4, document.get("uniform").size());
    JsonNode uniform = document.at("/uniform/3/policy/layers");
    assertEquals(services.layers(), uniform.size());
    assertEquals(8, uniform.at("/0/weight_bits").asInt());
    assertEquals(4, uniform.at("/1/weight_bits").asInt());
    assertEquals(document.at("/best/policy"), out("document").json("policy.json"));
  }

  @Test
  void whereNoImageIsHeldOutTheTablesSaySo() {
    Captured none =
        onEdge("none", "--episodes 2 --held-out 0 --further-target bitfusion=0.9").done();
    assertTrue(none.out().contains("top-1 on 32 search images (none held out)"), none.out());
    assertTrue(none.out().contains("top-1 on search images (none held out);"), none.out());
    assertFalse(none.out().contains("held-out"), none.out());
  }

  @Test
  void aSearchEndsEarlyWhenItsGoalIsReached() {
    JsonNode document =
        onEdge(
                "goal",
                "--episodes 20 --goal 1 --patience 9 --max-time 1h --learn-while-evaluating --json")
            .done()
            .json();
    assertEquals("GOAL", document.at("/session/end_reason").asText());
    assertEquals(1, document.get("episodes").asInt(), "any policy is that good");
    assertEquals(3600, document.at("/session/spec/early_ends/wall_seconds").asDouble());
  }

  @Test
  void modelSizeIsSearchedOverWeightsAlone() {
    JsonNode best =
        search(
                "size",
                "--target bismo-edge --resource size --budget 0.2 --episodes 2 --agent random --json")
            .done()
            .json()
            .get("best");
    JsonNode layers = best.at("/policy/layers");
    // The first and the last layer are not searched.
    for (int i = 1; i < layers.size() - 1; i++) {
      assertTrue(layers.get(i).get("weight_bits").asInt() <= 8, layers.toString());
      assertTrue(layers.get(i).get("activation_bits").isNull(), layers.toString());
    }
    assertTrue(best.get("cost_ratio").asDouble() <= 0.2);
  }

  @Test
  void aPolicyWithFloatActivationsHasASizeAndNoOtherCost() {
    search("float", "--target bismo-edge --resource size --budget 0.2 --episodes 2").done();
    for (Map<String, String> layer : out("float").csv("policy.csv")) {
      assertEquals("", layer.get("cycles"));
      assertEquals("", layer.get("latency_seconds"));
    }
    Map<String, String> first = out("float").csv("episodes.csv").get(0);
    for (String column : List.of("cycles", "latency_seconds", "energy_joules")) {
      assertEquals("", first.get(column), column);
    }
    assertTrue(Double.parseDouble(first.get("model_size_bytes")) > 0);
    JsonNode best = out("float").json("session.json").at("/best/cost");
    assertEquals(List.of("model_size_bytes"), names(best));

    String costed = " --model builtin:shapes --target bismo-edge --policy %s ";
    Path policy = folder.resolve("float/policy.json");
    Captured table = services.run("simulate" + costed, policy).done();
    assertTrue(table.out().lines().findFirst().orElseThrow().endsWith("size kB"), table.out());
    assertTrue(table.out().strip().endsWith("kB"), table.out());
    JsonNode document = services.run("simulate --json" + costed, policy).done().json();
    assertEquals(best, document.at("/total"));
    assertEquals(List.of("model_size_bytes"), names(document.at("/layers/0/cost")));
    Captured explained = services.run("explain" + costed, policy);
    explained.assertRefused("has float activations");
    explained.assertRefused("--bits 8,8");
  }

  private static List<String> names(JsonNode object) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void aPolicyIsWithinBudgetWhenItMeetsAllOfThem() {
    JsonNode document =
        search(
                "both",
                """
                --target bitfusion --resource size --budget 0.9 --also energy=0.85
                --also latency=1s --episodes 2 --agent uniform --json
                """)
            .done()
            .json();
    JsonNode eight = document.at("/uniform/0");
    assertEquals(8, eight.get("bits").asInt());
    assertTrue(eight.get("cost_ratio").asDouble() < 0.9, "it meets the main budget");
    double energy = eight.at("/cost/energy_joules").asDouble();
    for (JsonNode row : document.get("uniform")) {
      assertEquals(
          row.at("/cost/energy_joules").asDouble() <= 0.85 * energy,
          row.get("meets_budget").asBoolean(),
          row.toString());
    }
    assertFalse(eight.get("meets_budget").asBoolean());
    assertTrue(document.at("/best/meets_budget").asBoolean());
    for (Map<String, String> layer : out("both").csv("policy.csv")) {
      assertTrue(Double.parseDouble(layer.get("latency_seconds")) > 0, layer.toString());
    }
  }

  @Test
  void sizesOfSharedWeightsCountTheirCodebooks() throws IOException {
    JsonNode document =
        search(
                "kmeans",
                """
                --target bismo-edge --resource size --budget 0.25 --recipe kmeans --episodes 2
                --agent random --json
                """)
            .done()
            .json();
    double codebooks = 0;
    for (JsonNode layer : document.at("/best/policy/layers")) {
      codebooks += 4 * Math.pow(2, layer.get("weight_bits").asInt());
    }
    Session session = Json.parse(document.get("session").toString(), Session.newBuilder()).build();
    GatewayClient client = services.client();
    SimulateRequest weightsAlone =
        SimulateRequest.newBuilder()
            .setTarget(session.getSpec().getTarget())
            .setNetwork(client.model("builtin:shapes").getNetwork())
            .setPolicy(session.getBest().getPolicy())
            .addResources(Resource.MODEL_SIZE)
            .build();
    double expected = codebooks + client.simulate(weightsAlone).getTotal().getModelSizeBytes();
    assertEquals(expected, document.at("/session/best/cost/model_size_bytes").asDouble());
    assertEquals(expected, document.at("/best/cost/model_size_bytes").asDouble());
    assertTrue(document.at("/best/cost_ratio").asDouble() <= 0.25);

    String costed = " --model builtin:shapes --target bismo-edge --json ";
    JsonNode simulated =
        services
            .run("simulate --codebooks --policy %s" + costed, folder.resolve("kmeans/policy.json"))
            .done()
            .json();
    assertEquals(expected, simulated.at("/total/model_size_bytes").asDouble());
    Path file = folder.resolve("kmeans/size.npy");
    JsonNode table =
        services.run("table --resource size --codebooks --out %s" + costed, file).done().json();
    NpyFile cells = NpyFile.parse("size.npy", Files.readAllBytes(file));
    assertEquals(List.of(services.layers(), 8, 8), cells.shape());
    double sum = table.get("fixed").asDouble();
    JsonNode layers = document.at("/best/policy/layers");
    for (int i = 0; i < layers.size(); i++) {
      sum += cells.values()[i * 64 + (layers.get(i).get("weight_bits").asInt() - 1) * 8];
    }
    assertEquals(expected, sum);
  }

  @Test
  void aSecondSearchIntoTheSameFolderIsRefusedAndLeavesTheFirstAlone() {
    OutFolder out = out("shared");
    SearchStore first = SearchStore.in(out.path());
    alone(out, "0.6").assertRefused("another search writes there: give another --out");
    assertTrue(Files.isDirectory(first.folder()));
    first.close();
    assertFalse(Files.exists(out.path()));
  }

  @Test
  void aRefusedSearchLeavesNothingBehind() {
    OutFolder out = out("refused");
    alone(out, "0.01").assertRefused("cannot be met");
    assertFalse(Files.exists(out.path()), "the folder of a search that never began");
  }

  /** With services of its own. */
  private static Captured alone(OutFolder out, String budget) {
    return Captured.run(
        """
        search --model builtin:shapes --data builtin:shapes --target bismo-edge --budget %s
        --out %s --data-dir %s
        """,
        budget, out, services.dataDir());
  }

  @Test
  void aBudgetThatCannotBeMetIsRefusedWithTheSmallest() {
    Captured tiny = search("tiny", "--target bismo-edge --budget 0.01 --episodes 2");
    tiny.assertRefused("(ratio 0.0100) cannot be met: the smallest reachable is ");
    String smallest =
        tiny.err().replaceFirst("(?s).*smallest reachable is .*ratio ([0-9.]+).*", "$1");
    // It is rounded.
    double ratio = Double.parseDouble(smallest) + 1e-4;
    search("least", "--target bismo-edge --episodes 1 --agent random --budget " + ratio).done();
  }
}
