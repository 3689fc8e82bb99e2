package dev.haq.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.haq.model.HaqException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class NpyFileTest {
  private static final NpyFile SMALL =
      new NpyFile(List.of(2, 1, 3), new double[] {1, 2, 3, 4, 5, 6});

  @Test
  void anArrayIsReadBackAsItWasWrittenInBothTypes() {
    for (byte[] bytes : List.of(SMALL.toInt64(), SMALL.toFloat64())) {
      NpyFile read = NpyFile.parse("t.npy", bytes);
      assertEquals(SMALL.shape(), read.shape());
      assertArrayEquals(SMALL.values(), read.values());
    }
  }

  @Test
  void theTypeOfTheValuesIsKept() {
    assertEquals(NpyFile.Type.INT64, NpyFile.parse("t.npy", SMALL.toInt64()).type());
    assertEquals(NpyFile.Type.FLOAT64, NpyFile.parse("t.npy", SMALL.toFloat64()).type());
  }

  @Test
  void valuesBeginAtAMultipleOf64Bytes() {
    assertEquals(0, (SMALL.toInt64().length - 6 * 8) % 64);
  }

  @Test
  void aVectorIsReadBack() {
    NpyFile vector = new NpyFile(List.of(2), new double[] {0.5, -1});
    assertEquals(List.of(2), NpyFile.parse("v.npy", vector.toFloat64()).shape());
  }

  @Test
  void thePublishedTableIsReadAndWrittenByteForByte() throws IOException {
    Path file =
        Path.of(System.getProperty("haq.shared", ""), "data/published")
            .resolve("qmobilenetv2_imagenet100_batch16_latency_table.npy");
    assumeTrue(Files.isReadable(file), "no published table at " + file + ": skipped");
    byte[] bytes = Files.readAllBytes(file);
    NpyFile table = NpyFile.parse("table", bytes);
    assertEquals(List.of(53, 8, 8), table.shape());
    assertArrayEquals(bytes, table.toInt64());
  }

  @Test
  void badFilesAreRefusedWithWhatIsWrong() {
    byte[] good = SMALL.toFloat64();
    refused(
        "does not begin with",
        "this is a text file, not an array".getBytes(StandardCharsets.UTF_8));
    refused("only 3 bytes", new byte[] {1, 2, 3});
    refused("the file has 47", Arrays.copyOf(good, good.length - 1));
    refused("cut off within its header", Arrays.copyOf(good, 40));
    refused("type '<f4'", replaced(good, "'<f8'", "'<f4'"));
    refused("Fortran order", replaced(good, "False", "True "));
    refused("shape", replaced(good, "(2, 1, 3)", "(2, 1,-3)"));
  }

  @Test
  void fractionsAreNotWrittenAsIntegers() {
    NpyFile half = new NpyFile(List.of(1), new double[] {0.5});
    assertThrows(HaqException.class, half::toInt64);
  }

  private static byte[] replaced(byte[] file, String from, String to) {
    return new String(file, StandardCharsets.ISO_8859_1)
        .replace(from, to)
        .getBytes(StandardCharsets.ISO_8859_1);
  }

  private static void refused(String part, byte[] bytes) {
    String message =
        assertThrows(HaqException.class, () -> NpyFile.parse("t.npy", bytes)).getMessage();
    assertTrue(message.contains(part), message);
  }
}
