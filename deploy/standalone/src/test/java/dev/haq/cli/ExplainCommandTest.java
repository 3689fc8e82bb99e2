package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class ExplainCommandTest {
  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void aPolicyIsExplainedOnAMachineOfTheUsersOwn() throws IOException {
    Captured shown = services.run("targets --show variable-bit-npu").done();
    Path own = Files.writeString(folder.resolve("mine.yaml"), shown.out());
    Captured table =
        services.run("explain --model builtin:shapes --target %s --bits 4,8", own).done();
    assertTrue(table.out().contains("extrapolated"), table.out());
  }

  @Test
  void theDocumentHoldsWhatEachLayerCostsAndWouldCost() {
    String command =
        """
        explain --model builtin:shapes --target bitfusion --set bit_fusion.depthwise=per_group
        --bits 4,4 --json
        """;
    JsonNode layers = services.run(command).done().json().get("layers");
    assertEquals(services.layers(), layers.size());
    JsonNode faster = services.run(command + "--set clock_hz=1e9").done().json().get("layers");
    for (int i = 0; i < layers.size(); i++) {
      JsonNode layer = layers.get(i);
      assertTrue(layer.at("/cost/energy_split/dram_joules").asDouble() > 0, layer.toString());
      assertEquals(4, layer.get("counterfactuals").size());
      assertTrue(
          faster.get(i).at("/cost/cost/latency_seconds").asDouble()
              < layer.at("/cost/cost/latency_seconds").asDouble(),
          layer.toString());
    }
  }
}
