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
    Map<String, JsonNode> services = new TreeMap<>();
    DeployFiles.yaml("compose.yaml")
        .get("services")
        .properties()
        .forEach(service -> services.put(service.getKey(), service.getValue()));
    return services;
  }

  @Test
  void composeRunsEachServiceFromTheOneDockerfile() throws IOException {
    Map<String, JsonNode> services = services();
    assertEquals(new TreeSet<>(DeployFiles.PORTS.keySet()), services.keySet());
    services.forEach(
        (name, service) -> {
          JsonNode build = service.get("build");
          assertEquals(name, build.get("args").get("SERVICE").asText());
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
    for (Map.Entry<String, JsonNode> service : services().entrySet()) {
      Set<String> known = DeployFiles.variables(service.getKey());
      List<String> unknown = new ArrayList<>();
      service
          .getValue()
          .get("environment")
          .properties()
          .forEach(
              variable -> {
                if (!known.contains(variable.getKey())) {
                  unknown.add(variable.getKey());
                }
                if (variable.getKey().endsWith("_TARGET")) {
                  String[] address =
                      variable.getValue().asText().replace("dns:///", "").split(":", 2);
                  assertEquals(DeployFiles.PORTS.get(address[0]), Integer.valueOf(address[1]));
                }
              });
      assertEquals(List.of(), unknown, service.getKey() + ".yaml does not read these");
    }
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
