package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code haq search} with several targets, against real services. */
final class FleetCommandTest {
  @TempDir static Path folder;
  private static Standalone standalone;

  @BeforeAll
  static void start() {
    standalone =
        Standalone.start(
            Standalone.Options.inside(
                folder.resolve("data"), Optional.of(folder.resolve("sessions"))));
  }

  @AfterAll
  static void stop() {
    standalone.close();
  }

  /** One of them described in a file of the user's own. */
  @Test
  void aPolicyIsFoundForEachTargetAndOneForAll() throws IOException {
    Captured shown = run("targets", "--show", "bitfusion");
    assertEquals(0, shown.status(), shown.err());
    Path own = folder.resolve("own.yaml");
    Files.writeString(own, shown.out().replace("name: bitfusion", "name: our-chip"));
    Path out = folder.resolve("fleet");
    Captured run =
        search(out, "--further-target", "bismo-cloud=0.7", "--further-target", own + "=0.8");
    assertEquals(0, run.status(), run.err());
    List<String> lines = run.out().lines().filter(line -> line.startsWith("episode ")).toList();
    assertEquals(8, lines.size());
    for (int i = 0; i < lines.size(); i++) {
      String aim = List.of("bismo-edge", "bismo-cloud", "our-chip", "fleet").get(i % 4);
      assertTrue(lines.get(i).contains("for " + aim), lines.get(i));
    }
    assertTrue(run.out().contains("ratio on our-chip"), run.out());

    JsonNode document = Json.tree(Files.readString(out.resolve("session.json")));
    for (int i = 0; i < 3; i++) {
      JsonNode target = document.get("targets").get(i);
      double most = List.of(0.6, 0.7, 0.8).get(i);
      assertTrue(target.get("cost_ratio").asDouble() <= most, target.toString());
      Path file = out.resolve("policy-" + target.get("target").asText() + ".json");
      assertEquals(target.get("policy"), Json.tree(Files.readString(file)));
      assertTrue(Files.exists(Path.of(file.toString().replace(".json", ".csv"))));
    }
    assertEquals("our-chip", document.at("/targets/2/target").asText());
    assertEquals(
        document.at("/fleet/policy"),
        Json.tree(Files.readString(out.resolve("policy-fleet.json"))));
    assertEquals(3, document.at("/fleet/regrets").size());
    assertEquals(document.at("/best/policy"), document.at("/targets/0/policy"));
  }

  @Test
  void aLaterSearchIntoTheSameFolderTakesAwayWhatIsOfTheEarlierOneAndNothingElse()
      throws IOException {
    Path out = folder.resolve("again");
    assertEquals(0, search(out, "--further-target", "bismo-cloud=0.7").status());
    assertTrue(Files.exists(out.resolve("policy-bismo-cloud.csv")));
    Path own = Files.writeString(out.resolve("policy-of-mine.json"), "{}");
    assertEquals(0, search(out).status());
    try (Stream<Path> files = Files.list(out)) {
      assertEquals(
          Set.of(
              "policy.json", "policy.csv", "episodes.csv", "session.json", "policy-of-mine.json"),
          files.map(file -> file.getFileName().toString()).collect(Collectors.toSet()));
    }
    assertEquals("{}", Files.readString(own));
  }

  @Test
  void whatIsWrongWithATargetIsSaid() {
    assertRefused("nowhere", "--further-target", "nowhere");
    assertRefused("bismo-edge is given twice", "--further-target", "bismo-edge");
    assertRefused("bismo-cloud", "--further-target", "bismo-cloud=0.01");
    assertRefused("there are two limits", "--further-target", "bismo-cloud=0.5,latency=0.6");
    assertRefused("give a ratio", "--further-target", "bismo-cloud=");
    assertRefused(
        "--further-target gone.yaml: there is no such file", "--further-target", "gone.yaml");
    assertRefused("--further-target gone.npy: there is no", "--further-target", "gone.npy");
    assertRefused(
        "target bismo-cloud has no model of ENERGY", "--further-target", "bismo-cloud=energy=0.5");
  }

  private static void assertRefused(String expected, String... more) {
    Captured run = search(folder.resolve("refused"), more);
    assertEquals(2, run.status(), run.err());
    assertEquals(1, run.complaints().size(), run.err());
    assertTrue(run.complaints().get(0).contains(expected), run.err());
  }

  private static Captured search(Path out, String... more) {
    List<String> args = new ArrayList<>(List.of("search", "--model", "builtin:shapes"));
    args.addAll(List.of("--data", "builtin:shapes", "--images", "32", "--episodes", "8"));
    args.addAll(List.of("--target", "bismo-edge", "--budget", "0.6", "--out", out.toString()));
    args.addAll(List.of(more));
    return run(args.toArray(String[]::new));
  }

  private static Captured run(String... args) {
    List<String> all = new ArrayList<>(List.of(args));
    all.addAll(List.of("--server", standalone.url().toString()));
    return Captured.run(all.toArray(String[]::new));
  }
}
