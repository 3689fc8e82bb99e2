package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The services as four processes, told of each other by their environment alone. */
class FourProcessesTest {
  private static final Pattern LISTENS = Pattern.compile("listens on [^ ]*:(\\d+)");

  @TempDir Path folder;

  @Test
  void aSearchGoesThroughFourProcesses() throws InterruptedException {
    Deque<Child> children = new ArrayDeque<>();
    try {
      Child quantizerProcess =
          start(
              children,
              "dev.haq.quantizer.QuantizerService",
              "HAQ_QUANTIZER",
              Map.of("HAQ_QUANTIZER_DATA_DIR", folder.resolve("data").toString()));
      Child hwsimProcess = start(children, "dev.haq.hwsim.HwsimService", "HAQ_HWSIM", Map.of());
      String hwsim = address(hwsimProcess);
      String quantizer = address(quantizerProcess);
      String agent =
          address(
              start(
                  children,
                  "dev.haq.agent.AgentService",
                  "HAQ_AGENT",
                  Map.of(
                      "HAQ_AGENT_STORE_URL",
                      "jdbc:h2:file:" + folder.resolve("sessions"),
                      "HAQ_HWSIM_TARGET",
                      hwsim,
                      "HAQ_QUANTIZER_TARGET",
                      quantizer)));
      String gateway =
          address(
              start(
                  children,
                  "dev.haq.gateway.GatewayService",
                  "HAQ_GATEWAY",
                  Map.of(
                      "HAQ_AGENT_TARGET",
                      agent,
                      "HAQ_HWSIM_TARGET",
                      hwsim,
                      "HAQ_QUANTIZER_TARGET",
                      quantizer)));
      JsonNode document =
          Captured.run(
                  """
                  search --server http://%s --model builtin:shapes --data builtin:shapes
                  --target bismo-edge --budget 0.6 --episodes 3 --images 32 --out %s --json
                  """,
                  gateway, folder.resolve("out"))
              .done()
              .json();
      assertEquals(3, document.get("episodes").asInt());
      assertTrue(document.at("/best/cost_ratio").asDouble() <= 0.6);
    } finally {
      children.forEach(Child::close);
    }
  }

  @Test
  void aWrongSettingEndsAServiceWithTwo() throws InterruptedException {
    try (Child child =
        Child.start("dev.haq.hwsim.HwsimService", List.of(), Map.of("HAQ_HWSIM_PORT", "many"))) {
      assertEquals(2, child.exit());
    }
  }

  /** On any port of loopback; the process is pushed so that it is closed before its peers. */
  private static Child start(
      Deque<Child> children, String mainClass, String prefix, Map<String, String> settings) {
    Map<String, String> environment = new HashMap<>(settings);
    environment.put(prefix + "_HOST", "127.0.0.1");
    environment.put(prefix + "_PORT", "0");
    Child child = Child.start(mainClass, List.of(), environment);
    children.push(child);
    return child;
  }

  /** Where a process listens, once it does. */
  private static String address(Child child) throws InterruptedException {
    return "127.0.0.1:" + child.await(LISTENS);
  }
}
