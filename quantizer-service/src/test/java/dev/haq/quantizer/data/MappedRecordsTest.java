package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class MappedRecordsTest {
  private static final int START = 5;
  private static final int RECORD = 7;
  private static final int COUNT = 8;

  @TempDir Path folder;

  /** One record a window, two windows of which the last is short, whole windows, and one of all. */
  @ParameterizedTest
  @ValueSource(longs = {1, 5 * RECORD + 3, 4 * RECORD, COUNT * RECORD, 1 << 30})
  void recordsAreReadAcrossWindows(long windowBytes) throws IOException {
    byte[] content = new byte[START + COUNT * RECORD];
    new Random(3).nextBytes(content);
    Path file = Files.write(folder.resolve("records"), content);
    MappedRecords records = MappedRecords.open(file, START, RECORD, COUNT, windowBytes);
    assertEquals(COUNT, records.count());
    for (int record = 0; record < COUNT; record++) {
      int first = START + record * RECORD;
      byte[] target = new byte[RECORD + 1];
      records.read(record, 2, target, 1, RECORD - 2);
      byte[] expected = new byte[RECORD + 1];
      System.arraycopy(content, first + 2, expected, 1, RECORD - 2);
      assertArrayEquals(expected, target, "record " + record);
      assertEquals(content[first + RECORD - 1], records.get(record, RECORD - 1));
    }
  }

  @Test
  void aFileThatIsTooShortIsRefusedWithBothSizes() throws IOException {
    Path file = Files.write(folder.resolve("short"), Arrays.copyOf(new byte[0], 60));
    IOException refused =
        assertThrows(IOException.class, () -> MappedRecords.open(file, START, RECORD, COUNT));
    assertTrue(refused.getMessage().contains("60 bytes, 61 are needed"), refused.getMessage());
  }
}
