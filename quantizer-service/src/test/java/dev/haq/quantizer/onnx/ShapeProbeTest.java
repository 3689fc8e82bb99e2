package dev.haq.quantizer.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ShapeProbeTest {
  private static final Path PEAK_RESET = Path.of("/proc/self/clear_refs");

  @Test
  void tensorsAreNotHeldBeyondTheirLastReader() throws IOException {
    assumeTrue(Files.isWritable(PEAK_RESET), "only Linux says how much memory a process has had");
    int side = 1024;
    SmallModel model = new SmallModel(3, side, side);
    String features = "image";
    for (int i = 0; i < 80; i++) {
      features = model.relu(features); // 12 MiB each, 960 together
    }
    byte[] bytes =
        model.bytes(model.gemm(model.pooled(model.conv(features, 3, 8, 1, 32, 1)), 8, 5));
    Files.writeString(PEAK_RESET, "5");
    long before = peakMebibytes();
    ImportedModel imported = ModelImporter.read(bytes, "id", "name");
    long taken = peakMebibytes() - before;

    assertTrue(taken < 480, "the import took " + taken + " MiB");
    assertEquals(List.of(1, 3, side, side), imported.graph().shapes().get(features));
    assertEquals(2, imported.network().size());
  }

  @Test
  void aModelThatTakesTheFirstImagesAttentionForAllTakesOneImageAtATime() {
    for (boolean mixes : new boolean[] {false, true}) {
      SmallModel model = new SmallModel(3, 8, 8);
      String features = model.relu(model.conv("image", 3, 8, 3, 1, 1));
      String attention = model.node("Sigmoid", model.conv(features, 8, 8, 1, 1, 1));
      if (mixes) {
        attention = model.node("Gather", attention, model.initializer(0));
      }
      String output = model.gemm(model.pooled(model.node("Mul", features, attention)), 8, 5);
      assertEquals(mixes, model.imported(output).graph().fixedBatch());
    }
  }

  private static long peakMebibytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) >> 10)
        .findFirst()
        .orElseThrow();
  }
}
