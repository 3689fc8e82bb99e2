package dev.haq.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ContainersTest {
  /** Read by docker/run and by what a service logs with, not by its settings. */
  private static final Set<String> OF_EVERY_SERVICE = Set.of("HAQ_HEAP_PERCENT", "HAQ_LOG_LEVEL");

  private static Map<String, JsonNode> services() throws IOException {
    return services("compose.yaml");
  }

  private static Map<String, JsonNode> services(String file) throws IOException {
    Map<String, JsonNode> services = new TreeMap<>();
    DeployFiles.yaml(file)
        .get("services")
        .properties()
        .forEach(service -> services.put(service.getKey(), service.getValue()));
    return services;
  }

  @Test
  void composeRunsEachServiceFromTheOneDockerfile() throws IOException {
    String version = DeployFiles.version();
    Map<String, JsonNode> services = services();
    assertEquals(new TreeSet<>(DeployFiles.PORTS.keySet()), services.keySet());
    services.forEach(
        (name, service) -> {
          JsonNode build = service.get("build");
          assertEquals(name, build.get("args").get("SERVICE").asText());
          // The name that the Kubernetes objects ask for.
          assertEquals("haq/" + name + ":" + version, service.get("image").asText());
          assertTrue(
              Files.isRegularFile(
                  DeployFiles.file(build.get("context").asText())
                      .resolve(build.get("dockerfile").asText())));
          assertEquals(
              DeployFiles.PORTS.get(name).toString(),
              service.get("healthcheck").get("test").get(2).asText());
        });
  }

  @Test
  void composeSetsOnlyVariablesThatTheServicesSettingsReadAndAddressesThatExist()
      throws IOException {
    services().forEach(ContainersTest::checkEnvironment);
  }

  private static void checkEnvironment(String service, JsonNode description) {
    List<String> unknown = new ArrayList<>();
    description
        .get("environment")
        .properties()
        .forEach(
            variable -> {
              if (!DeployFiles.variables(service).contains(variable.getKey())
                  && !OF_EVERY_SERVICE.contains(variable.getKey())) {
                unknown.add(variable.getKey());
              }
              if (variable.getKey().endsWith("_TARGET")) {
                String[] address =
                    variable.getValue().asText().replace("dns:///", "").split(":", 2);
                assertEquals(DeployFiles.PORTS.get(address[0]), Integer.valueOf(address[1]));
              }
            });
    assertEquals(List.of(), unknown, service + ".yaml does not read these");
  }

  @Test
  void everyValueOfAServicesSettingsHasAVariable() throws IOException {
    for (String service : DeployFiles.PORTS.keySet()) {
      List<String> fixed =
          Files.readAllLines(DeployFiles.settings(service)).stream()
              .map(String::strip)
              .filter(line -> !line.isEmpty() && !line.startsWith("#"))
              .filter(line -> !line.matches("[a-z-]+:|[a-z-]+: \"?\\$\\{HAQ_[A-Z_]+:-[^}]*}\"?"))
              .toList();
      assertEquals(List.of(), fixed, service + ".yaml");
    }
  }

  @Test
  void severalAgentsShareThePostgresServerThatComposeRunsBesideThem() throws IOException {
    Map<String, JsonNode> services = services("compose.postgres.yaml");
    assertEquals(Set.of("agent", "gateway", "postgres"), services.keySet());
    JsonNode server = services.get("postgres");
    JsonNode created = server.get("environment");
    JsonNode agent = services.get("agent");
    assertTrue(agent.get("scale").asInt() >= 2);
    checkEnvironment("agent", agent);
    checkEnvironment("gateway", services.get("gateway"));
    assertEquals(
        "jdbc:postgresql://postgres:5432/%s?user=%s&password=%s"
            .formatted(
                created.get("POSTGRES_DB").asText(),
                created.get("POSTGRES_USER").asText(),
                created.get("POSTGRES_PASSWORD").asText()),
        agent.get("environment").get("HAQ_AGENT_STORE_URL").asText());
    assertTrue(created.get("POSTGRES_PASSWORD").asText().startsWith("${HAQ_POSTGRES_PASSWORD:?"));
    assertEquals(
        "service_healthy", agent.get("depends_on").get("postgres").get("condition").asText());
    assertEquals("pg_isready", server.get("healthcheck").get("test").get(1).asText());
    // Every agent's address, not the first alone.
    assertEquals(
        "dns:///agent:" + DeployFiles.PORTS.get("agent"),
        services.get("gateway").get("environment").get("HAQ_AGENT_TARGET").asText());
    String kubernetes = Files.readString(DeployFiles.file("kubernetes/postgres/postgres.yaml"));
    assertTrue(kubernetes.contains("image: " + server.get("image").asText() + "\n"));
    String text = Files.readString(DeployFiles.file("compose.postgres.yaml"));
    assertTrue(text.contains("volumes: !reset []"), "the agents have no volume");
  }

  @Test
  void composePublishesTheGatewayAloneAndOnThisMachineAlone() throws IOException {
    services()
        .forEach(
            (name, service) -> {
              List<String> published = new ArrayList<>();
              service.path("ports").forEach(port -> published.add(port.asText()));
              int port = DeployFiles.PORTS.get(name);
              assertEquals(
                  name.equals("gateway")
                      ? List.of("127.0.0.1:%d:%d".formatted(port, port))
                      : List.of(),
                  published,
                  name);
            });
  }

  @Test
  void composesGatewayAnswersToTheNamesOfThisMachineAlone() throws IOException {
    assertEquals("localhost", value("gateway", "HAQ_GATEWAY_ALLOWED_HOSTS"));
  }

  /** What a service is given where the variable is not set. */
  private static String value(String service, String variable) throws IOException {
    return services()
        .get(service)
        .get("environment")
        .get(variable)
        .asText()
        .replaceFirst("^\\$\\{" + variable + ":-(.*)}$", "$1");
  }

  @Test
  void everyVariableOfAServicesSettingsReachesItsContainer() throws IOException {
    services()
        .forEach(
            (service, description) -> {
              Set<String> missing = new TreeSet<>(DeployFiles.variables(service));
              missing.add("HAQ_LOG_LEVEL");
              description.get("environment").fieldNames().forEachRemaining(missing::remove);
              // It listens on all addresses of its container; compose.grpc.yaml sets the others.
              missing.removeIf(name -> name.endsWith("_HOST"));
              missing.removeAll(Set.of("HAQ_GATEWAY_GRPC", "HAQ_GATEWAY_GRPC_PORT"));
              assertEquals(Set.of(), missing, service);
            });
  }

  @Test
  void aContainerHasTheMemoryThatItsPodHasAndItsTmpBesides() throws IOException {
    for (Map.Entry<String, JsonNode> service : services().entrySet()) {
      String name = service.getKey();
      long pod =
          DeployFiles.resources("kubernetes/base/").stream()
              .filter(object -> object instanceof Deployment)
              .filter(object -> object.getMetadata().getName().equals(name))
              .map(object -> ((Deployment) object).getSpec().getTemplate().getSpec())
              .map(spec -> spec.getContainers().get(0).getResources().getLimits().get("memory"))
              .map(limit -> Quantity.getAmountInBytes(limit).longValueExact())
              .findFirst()
              .orElseThrow();
      long memory = bytes(service.getValue().get("mem_limit").asText());
      assertEquals(pod, memory - tmp(service.getValue()), name);
      long heap = heap(service.getValue());
      assertTrue(heap > 0.98 * pod / 2 && heap < 1.02 * pod / 2, name + ": " + heap);
    }
  }

  @Test
  void theQuantizersHeapAndTmpHoldTwoEvaluationsOfTheLargestModelItTakes() throws IOException {
    String model = value("quantizer", "HAQ_QUANTIZER_MAX_MODEL_BYTES");
    assertEquals(model, value("gateway", "HAQ_GATEWAY_MAX_MODEL_BYTES"));
    JsonNode quantizer = services().get("quantizer");
    DeployFiles.checkLargestModel(Long.parseLong(model), heap(quantizer), tmp(quantizer));
  }

  private static long heap(JsonNode service) {
    int percent = service.get("environment").get("HAQ_HEAP_PERCENT").asInt();
    return bytes(service.get("mem_limit").asText()) * percent / 100;
  }

  private static long tmp(JsonNode service) {
    return bytes(service.get("tmpfs").get(0).asText().replaceFirst("^/tmp:exec,size=", ""));
  }

  /** An amount as Compose has it, a default of a variable too: 896m, ${NAME:-2g}. */
  private static long bytes(String amount) {
    Matcher parts = Pattern.compile("(?:\\$\\{\\w+:-)?(\\d+)([mg])}?").matcher(amount);
    assertTrue(parts.matches(), amount);
    return Long.parseLong(parts.group(1)) << (parts.group(2).equals("g") ? 30 : 20);
  }

  @Test
  void thePublicGrpcApiIsPublishedOnThisMachineAlone() throws IOException {
    Map<String, JsonNode> services = services("compose.grpc.yaml");
    assertEquals(Set.of("gateway"), services.keySet());
    JsonNode gateway = services.get("gateway");
    checkEnvironment("gateway", gateway);
    assertEquals("true", gateway.get("environment").get("HAQ_GATEWAY_GRPC").asText());
    String port = gateway.get("environment").get("HAQ_GATEWAY_GRPC_PORT").asText();
    assertEquals(1, gateway.get("ports").size());
    assertEquals("127.0.0.1:%s:%s".formatted(port, port), gateway.get("ports").get(0).asText());
  }

  @Test
  void aContainerHasTimeToFinishItsCallsBeforeItIsKilled() throws IOException {
    String period =
        DeployFiles.yaml("compose.yaml").get("x-service").get("stop_grace_period").asText();
    long seconds = Long.parseLong(period.replaceFirst("s$", ""));
    services()
        .forEach(
            (name, service) -> {
              assertTrue(service.has("<<"), name + " is no x-service");
              assertTrue(seconds > DeployFiles.drainSeconds(name), name);
            });
  }

  @Test
  void theImageRunsAMainClassThatEachServiceHas() throws IOException {
    Matcher line =
        Pattern.compile("(\\w+)\\) main=([\\w.]+) ;;")
            .matcher(Files.readString(DeployFiles.file("docker/run")));
    Set<String> found = new TreeSet<>();
    while (line.find()) {
      found.add(line.group(1));
      String module = line.group(1).equals("gateway") ? "gateway" : line.group(1) + "-service";
      assertTrue(
          Files.isRegularFile(
              DeployFiles.file("..")
                  .resolve(module)
                  .resolve("src/main/java")
                  .resolve(line.group(2).replace('.', '/') + ".java")),
          line.group(2));
    }
    assertEquals(new TreeSet<>(DeployFiles.PORTS.keySet()), found);
  }
}
