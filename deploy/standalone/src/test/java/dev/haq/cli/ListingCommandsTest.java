package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** {@code haq targets}, {@code haq sessions} and {@code haq watch}: what there is. */
class ListingCommandsTest {
  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void targetsAreListed() {
    Captured table = services.run("targets").done();
    List<String> names =
        services.run("targets --json").done().json().get("targets").findValuesAsText("name");
    assertEquals(
        List.of(
            "bismo-cloud",
            "bismo-edge",
            "bitfusion",
            "vnni-cpu",
            "tensor-core-gpu",
            "variable-bit-npu"),
        names);
    for (String name : names) {
      assertTrue(table.out().lines().anyMatch(line -> line.startsWith(name + " ")), table.out());
    }
  }

  @Test
  void sessionsAreListedAndWatched() {
    String id =
        services
            .run(
                """
                search --model builtin:shapes --data builtin:shapes --target bismo-edge
                --budget 0.6 --episodes 2 --images 32 --agent random --out %s --json
                """,
                folder)
            .done()
            .json()
            .at("/session/id")
            .asText();
    JsonNode sessions = services.run("sessions --json").done().json();
    assertEquals(id, sessions.at("/sessions/0/id").asText(), "the newest comes first");
    JsonNode watched = services.run("watch %s --after 1 --json", id).done().json();
    assertEquals(1, watched.get("episodes").size());
    assertEquals(2, watched.at("/episodes/0/number").asInt());
    services.run("watch nobody").assertRefused("no session");
  }
}
