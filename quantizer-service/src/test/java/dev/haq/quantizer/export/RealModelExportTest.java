package dev.haq.quantizer.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.haq.model.DataSelection;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.ModelImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real networks on real images, a residual one among them; skipped where they are not. */
final class RealModelExportTest {
  private static final Path SHARED =
      Path.of(System.getProperty("haq.shared", "absent"), "data/cifar10");

  @TempDir Path folder;

  @Test
  void everyFormatOfResNet20ScoresAsItsEvaluation() throws IOException {
    Path images = SHARED.resolve("test_lossless_1000.bin");
    assumeTrue(Files.exists(images), "shared models and images are not here");
    ImportedModel model =
        ModelImporter.read(Files.readAllBytes(SHARED.resolve("resnet20.onnx")), "id", "resnet20");
    try (ExportBench bench = new ExportBench(folder)) {
      DataSelection data = ExportBench.first(bench.imported(images, "cifar10"), 200);
      int layers = model.network().size();
      Policy low = Policy.uniform(layers, LayerBits.of(3, 4));
      for (Policy policy : List.of(ExportBench.mixed(layers), low)) {
        for (ExportFormat format : ExportFormat.values()) {
          ExportedFile file =
              bench.exporter.export(
                  new Exporter.Request(model, policy, Recipe.HAQ, Optional.of(data), format, false),
                  () -> false);
          if (file.fileAccuracy().isPresent()) {
            assertEquals(
                file.evaluatedAccuracy().orElseThrow().top1(),
                file.fileAccuracy().orElseThrow().top1(),
                // Summation order alone, see ExportCheck.
                2,
                () -> format + " " + file.notes());
          }
        }
      }
    }
  }
}
