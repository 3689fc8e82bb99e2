package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
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
      String hwsim =
          start(
              children,
              "dev.haq.hwsim.HwsimService",
              Map.of("HAQ_HWSIM_HOST", "127.0.0.1", "HAQ_HWSIM_PORT", "0"));
      String quantizer =
          start(
              children,
              "dev.haq.quantizer.QuantizerService",
              Map.of(
                  "HAQ_QUANTIZER_HOST",
                  "127.0.0.1",
                  "HAQ_QUANTIZER_PORT",
                  "0",
                  "HAQ_QUANTIZER_DATA_DIR",
                  folder.resolve("data").toString()));
      String agent =
          start(
              children,
              "dev.haq.agent.AgentService",
              Map.of(
                  "HAQ_AGENT_HOST",
                  "127.0.0.1",
                  "HAQ_AGENT_PORT",
                  "0",
                  "HAQ_AGENT_STORE_URL",
                  "jdbc:h2:file:" + folder.resolve("sessions"),
                  "HAQ_HWSIM_TARGET",
                  hwsim,
                  "HAQ_QUANTIZER_TARGET",
                  quantizer));
      String gateway =
          start(
              children,
              "dev.haq.gateway.GatewayService",
              Map.of(
                  "HAQ_GATEWAY_HOST",
                  "127.0.0.1",
                  "HAQ_GATEWAY_PORT",
                  "0",
                  "HAQ_AGENT_TARGET",
                  agent,
                  "HAQ_HWSIM_TARGET",
                  hwsim,
                  "HAQ_QUANTIZER_TARGET",
                  quantizer));
      Captured run =
          Captured.run(
              "search",
              "--server",
              "http://" + gateway,
              "--model",
              "builtin:shapes",
              "--data",
              "builtin:shapes",
              "--target",
              "bismo-edge",
              "--budget",
              "0.6",
              "--episodes",
              "3",
              "--images",
              "32",
              "--out",
              folder.resolve("out").toString(),
              "--json");
      assertEquals(0, run.status(), run.err());
      assertEquals(3, run.json().get("episodes").asInt());
      assertTrue(run.json().at("/best/cost_ratio").asDouble() <= 0.6);
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

  /** Answers where it listens; the process is pushed so that it is closed before its peers. */
  private static String start(
      Deque<Child> children, String mainClass, Map<String, String> environment)
      throws InterruptedException {
    Child child = Child.start(mainClass, List.of(), environment);
    children.push(child);
    return "127.0.0.1:" + child.await(LISTENS);
  }
}
