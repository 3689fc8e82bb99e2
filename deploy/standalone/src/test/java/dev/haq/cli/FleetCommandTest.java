package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code haq search} with several targets, against real services. */
final class FleetCommandTest {
  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  private static Captured search(OutFolder out, String more, Object... values) {
    List<String> words =
        new ArrayList<>(
            Words.of(
                """
                search --model builtin:shapes --data builtin:shapes --images 32
                --target bismo-edge --budget 0.6 --out %s
                """,
                out));
    words.addAll(Words.of(more, values));
    return services.run(words);
  }

  /** One of them described in a file of the user's own. */
  @Test
  void aPolicyIsFoundForEachTargetAndOneForAll() throws IOException {
    Captured shown = services.run("targets --show bitfusion").done();
    Path own = folder.resolve("own.yaml");
    Files.writeString(own, shown.out().replace("name: bitfusion", "name: our-chip"));
    OutFolder out = new OutFolder(folder.resolve("fleet"));
    Captured run =
        search(out, "--episodes 8 --further-target bismo-cloud=0.7 --further-target %s=0.8", own)
            .done();
    List<String> lines = run.episodes();
    assertEquals(8, lines.size());
    for (int i = 0; i < lines.size(); i++) {
      String aim = List.of("bismo-edge", "bismo-cloud", "our-chip", "fleet").get(i % 4);
      assertTrue(lines.get(i).contains("for " + aim), lines.get(i));
    }
    assertTrue(run.out().contains("ratio on our-chip"), run.out());

    JsonNode document = out.json("session.json");
    for (int i = 0; i < 3; i++) {
      JsonNode target = document.get("targets").get(i);
      double most = List.of(0.6, 0.7, 0.8).get(i);
      assertTrue(target.get("cost_ratio").asDouble() <= most, target.toString());
      String name = target.get("target").asText();
      assertEquals(List.of("bismo-edge", "bismo-cloud", "our-chip").get(i), name);
      JsonNode policy = target.get("policy");
      assertEquals(policy, out.json("policy-" + name + ".json"));
      assertEquals(policy.get("layers").size(), out.csv("policy-" + name + ".csv").size());
    }
    assertEquals(document.at("/fleet/policy"), out.json("policy-fleet.json"));
    assertEquals(3, document.at("/fleet/regrets").size());
    assertEquals(document.at("/best/policy"), document.at("/targets/0/policy"));
  }

  @Test
  void aLaterSearchIntoTheSameFolderTakesAwayWhatIsOfTheEarlierOneAndNothingElse()
      throws IOException {
    OutFolder out = new OutFolder(folder.resolve("again"));
    search(out, "--episodes 3 --agent random --further-target bismo-cloud=0.7").done();
    assertTrue(out.names().contains("policy-bismo-cloud.csv"));
    Path own = Files.writeString(out.path().resolve("policy-of-mine.json"), "{}");
    search(out, "--episodes 2 --agent random").done();
    assertEquals(
        Set.of("policy.json", "policy.csv", "episodes.csv", "session.json", "policy-of-mine.json"),
        out.names());
    assertEquals("{}", Files.readString(own));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nowhere|nowhere",
        "bismo-edge|bismo-edge is given twice",
        "bismo-cloud=0.01|bismo-cloud",
        "bismo-cloud=0.5,latency=0.6|there are two limits",
        "bismo-cloud=|give a ratio",
        "gone.yaml|--further-target gone.yaml: there is no such file",
        "gone.npy|--further-target gone.npy: there is no",
        "bismo-cloud=energy=0.5|target bismo-cloud has no model of ENERGY"
      })
  void whatIsWrongWithATargetIsSaid(String target, String expected) {
    search(new OutFolder(folder.resolve("refused")), "--further-target %s", target)
        .assertRefused(expected);
  }
}
