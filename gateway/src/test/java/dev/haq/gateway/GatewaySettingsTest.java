package dev.haq.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.rpc.Settings;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GatewaySettingsTest {
  @Test
  void theDefaultsAreWholeAndTheEnvironmentOverridesThem() {
    GatewaySettings settings =
        load(
            Optional.empty(),
            Map.of("HAQ_AGENT_TARGET", "agent:9103", "HAQ_GATEWAY_EVALUATE_SECONDS", "7200"));
    assertEquals(8080, settings.port());
    assertEquals("agent:9103", settings.agentTarget());
    assertEquals("localhost:9101", settings.hwsimTarget());
    assertEquals(7200, settings.deadlines().evaluateSeconds());
    assertEquals(3600, settings.deadlines().uploadSeconds());
    assertEquals(15_000, settings.heartbeatMillis());
  }

  @Test
  void aMistakeIsNamed(@TempDir Path folder) throws Exception {
    assertRefused("port 70000", Map.of("HAQ_GATEWAY_PORT", "70000"));
    assertRefused("limits.json-bytes 0", Map.of("HAQ_GATEWAY_MAX_JSON_BYTES", "0"));
    String defaults =
        new String(
            getClass().getResourceAsStream("/" + GatewaySettings.RESOURCE).readAllBytes(),
            StandardCharsets.UTF_8);
    Path file = folder.resolve("gateway.yaml");
    Files.writeString(file, defaults + "\nhosst: localhost\n");
    assertNamed("hosst", file);
    Files.writeString(file, defaults.replaceFirst("(?m)^agent-target:.*$", ""));
    assertNamed("agent-target", file);
  }

  private static void assertNamed(String key, Path file) {
    HaqException failure =
        assertThrows(HaqException.class, () -> load(Optional.of(file), Map.of()));
    assertTrue(failure.getMessage().contains(key), failure.getMessage());
  }

  private static void assertRefused(String part, Map<String, String> environment) {
    HaqException failure =
        assertThrows(HaqException.class, () -> load(Optional.empty(), environment));
    assertTrue(failure.getMessage().contains(part), failure.getMessage());
  }

  private static GatewaySettings load(Optional<Path> file, Map<String, String> environment) {
    return Settings.load(GatewaySettings.class, GatewaySettings.RESOURCE, file, environment);
  }
}
