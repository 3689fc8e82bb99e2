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

class SimulateCommandTest {
  private static final String SIMULATE = "simulate --model builtin:shapes --target %s --bits %s ";

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void anUnknownTargetIsRefusedWithTheKnownOnes() {
    services
        .run(SIMULATE, "tpu", "8,8")
        .assertRefused(
            "bismo-cloud, bismo-edge, bitfusion, vnni-cpu, tensor-core-gpu, variable-bit-npu");
  }

  @Test
  void bitsThatDoNotExistAreRefused() {
    services.run(SIMULATE, "bismo-edge", "17,8").assertRefused("--bits 17,8");
    // Which of the others there are is the target's, or the recipe's, to say.
    services.run(SIMULATE, "bismo-edge", "9,8").assertRefused("9");
    services
        .run("evaluate --model builtin:shapes --data builtin:shapes --bits 9,8")
        .assertRefused("9");
  }

  @Test
  void anOverrideThatThereIsNotIsRefusedByItsKey() {
    services
        .run(SIMULATE + "--set clock=1e9", "bitfusion", "4,4")
        .assertRefused("bitfusion: key clock: there is no such key");
  }

  @Test
  void aMachineOfSixteenBitsIsSimulatedAtSixteen() throws IOException {
    String wide =
        services
            .run("targets --show variable-bit-npu")
            .done()
            .out()
            .replaceFirst("(?m)^activation_bits:.*$", "activation_bits: [8, 16]");
    Path own = Files.writeString(folder.resolve("wide.yaml"), wide);
    JsonNode narrow = services.run(SIMULATE + "--json", own, "8,8").done().json();
    JsonNode document = services.run(SIMULATE + "--json", own, "8,16").done().json();
    assertEquals(16, document.at("/policy/layers/1/activation_bits").asInt());
    assertTrue(
        document.at("/total/latency_seconds").asDouble()
            > narrow.at("/total/latency_seconds").asDouble());
  }

  @Test
  void aPolicyOfAnotherModelIsRefused() throws IOException {
    Path policy =
        Files.writeString(
            folder.resolve("other.json"),
            "{\"model\": \"sha256:00\", \"layers\": [{\"name\": \"a\", \"weight_bits\": 8, \"activation_bits\": 8}]}");
    services
        .run("simulate --model builtin:shapes --target bismo-edge --policy %s", policy)
        .assertRefused("another model");
  }
}
