package dev.haq.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
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
              if (!DeployFiles.variables(service).contains(variable.getKey())) {
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
    assertEquals(
        "localhost",
        services().get("gateway").get("environment").get("HAQ_GATEWAY_ALLOWED_HOSTS").asText());
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
