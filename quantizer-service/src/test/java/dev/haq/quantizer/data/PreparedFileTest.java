package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PreparedFileTest {
  private static final byte[] PIXELS = {1, 2, 3, 4};

  @TempDir private Path folder;

  private static void write(PreparedFile file, int image) {
    PreparedFile.Filler filler = new PreparedFile.Filler(Optional.of(file));
    filler.write(image, PIXELS);
    assertTrue(filler.isWhole());
  }

  private static byte[] read(PreparedFile file, int image) {
    byte[] pixels = new byte[PIXELS.length];
    file.read(image, pixels, 0);
    return pixels;
  }

  @Test
  void whatIsFoundAndWrittenIsInTheFileThatIsReadWhateverComesToItsPath() throws IOException {
    Path path = folder.resolve("shapes.pixels");
    try (PreparedFile first = PreparedFile.open(path, 3, PIXELS.length)) {
      Files.delete(path);
      try (PreparedFile second = PreparedFile.open(path, 3, PIXELS.length)) {
        write(second, 1);
        assertFalse(first.has(1), "it is in another file");
        write(first, 1);
        write(first, 2);
        assertFalse(second.has(2), "it is in another file");
        assertTrue(first.has(1) && first.has(2) && second.has(1));
        assertArrayEquals(PIXELS, read(first, 1));
        assertArrayEquals(PIXELS, read(second, 1));
      }
    }
  }

  @Test
  void whatWasFoundStaysReadableWhenItIsClosed() throws IOException {
    PreparedFile file = PreparedFile.open(folder.resolve("shapes.pixels"), 3, PIXELS.length);
    write(file, 2);
    file.close();
    assertTrue(file.has(2));
    assertFalse(file.has(1));
    assertArrayEquals(PIXELS, read(file, 2));
  }
}
