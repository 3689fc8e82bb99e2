package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTest {
  @TempDir Path folder;

  record Sample(String host, int port, Inner limits) {
    record Inner(int maxLayers) {}
  }

  @Test
  void theEnvironmentOverridesTheDefault() throws IOException {
    Path file =
        write(
            "host: ${SAMPLE_HOST:-localhost}\nport: ${SAMPLE_PORT:-9101}\nlimits:\n  max-layers: 5\n");

    assertEquals(new Sample("localhost", 9101, new Sample.Inner(5)), load(file, Map.of()));
    assertEquals(
        new Sample("localhost", 7, new Sample.Inner(5)), load(file, Map.of("SAMPLE_PORT", "7")));
  }

  @Test
  void anUnknownKeyIsRefusedByName() throws IOException {
    Path file = write("host: a\nport: 1\nlimits:\n  max-leyers: 5\n  max-layers: 5\n");

    HaqException error = assertThrows(HaqException.class, () -> load(file, Map.of()));

    assertTrue(error.getMessage().contains("limits.max-leyers"), error.getMessage());
  }

  @Test
  void aKeyThatComesTwiceIsRefusedByName() throws IOException {
    Path file = write("host: a\nport: 1\nport: 2\nlimits:\n  max-layers: 5\n");

    HaqException error = assertThrows(HaqException.class, () -> load(file, Map.of()));

    assertTrue(error.getMessage().contains("port"), error.getMessage());
  }

  @Test
  void aMissingNumberIsRefusedByName() throws IOException {
    Path file = write("host: a\nlimits:\n  max-layers: 5\n");

    HaqException error = assertThrows(HaqException.class, () -> load(file, Map.of()));

    assertTrue(error.getMessage().contains("port"), error.getMessage());
  }

  @Test
  void aVariableThatIsNotSetIsRefusedByName() throws IOException {
    Path file = write("host: ${SAMPLE_HOST}\nport: 1\nlimits:\n  max-layers: 5\n");

    HaqException error = assertThrows(HaqException.class, () -> load(file, Map.of()));

    assertTrue(error.getMessage().contains("SAMPLE_HOST"), error.getMessage());
  }

  @Test
  void aMissingFileIsRefusedByPath() {
    Path file = folder.resolve("none.yaml");

    HaqException error = assertThrows(HaqException.class, () -> load(file, Map.of()));

    assertTrue(error.getMessage().contains("none.yaml"), error.getMessage());
  }

  private Path write(String text) throws IOException {
    return Files.writeString(folder.resolve("sample.yaml"), text);
  }

  private static Sample load(Path file, Map<String, String> environment) {
    return Settings.load(Sample.class, "unused.yaml", Optional.of(file), environment);
  }
}
