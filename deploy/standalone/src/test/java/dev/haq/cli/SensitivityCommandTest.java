package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class SensitivityCommandTest {
  private static final String SHAPES =
      "sensitivity --model builtin:shapes --data builtin:shapes --images 32 ";

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void sensitivitiesAreRankedWrittenAndKnownTheSecondTime() {
    OutFolder out = new OutFolder(folder.resolve("s"));
    String command = SHAPES + "--bits 8,2 --out %s/sensitivity.csv";
    int entries = 2 * 2 * services.layers();
    Captured table = services.run(command, out).done();
    // A line of what it is, the headings, a rule, the rows, a line of how many more.
    assertEquals(3 + 20 + 1, table.out().lines().count(), table.out());

    JsonNode again = services.run(command + " --json", out).done().json();
    assertEquals(entries, again.get("entries").size());
    again.get("entries").forEach(entry -> assertTrue(entry.get("cached").asBoolean()));
    assertEquals(32, again.at("/baseline/images").asInt());

    List<Map<String, String>> rows = out.csv("sensitivity.csv");
    assertEquals(entries, rows.size());
    for (int i = 0; i < entries; i++) {
      JsonNode entry = again.at("/entries/" + i);
      assertEquals(entry.get("layer").asText(), rows.get(i).get("layer"));
      assertEquals(entry.get("bits").asText(), rows.get(i).get("bits"));
      assertEquals(
          entry.at("/accuracy/kl_divergence").asDouble(),
          Double.parseDouble(rows.get(i).get("kl_divergence")));
    }
  }

  @Test
  void widthsThatThereAreNotAreRefused() {
    services.run(SHAPES + "--bits 2,9").assertRefused("--bits 2,9: '9' is not 2 to 8");
  }
}
