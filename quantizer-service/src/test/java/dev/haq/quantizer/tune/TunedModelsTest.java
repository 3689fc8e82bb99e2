package dev.haq.quantizer.tune;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TunedModelsTest {
  @TempDir private Path folder;

  @Test
  void checkpointsThatNobodyWentOnWithAreRemovedAtTheNextStart() throws IOException {
    write("old.checkpoint", Duration.ofDays(31));
    write("recent.checkpoint", Duration.ofDays(29));
    write("old.json", Duration.ofDays(400));
    new TunedModels(folder, null, null).close();
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(
          List.of("old.json", "recent.checkpoint"),
          left.map(file -> file.getFileName().toString()).sorted().toList());
    }
  }

  private void write(String name, Duration age) throws IOException {
    Path file = Files.writeString(folder.resolve(name), name);
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(age)));
  }
}
