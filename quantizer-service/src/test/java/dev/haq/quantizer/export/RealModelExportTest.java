package dev.haq.quantizer.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.haq.model.DataSelection;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.onnx.ImportedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Real networks on real images, a residual one among them; skipped where they are not. */
final class RealModelExportTest {
  private static final Logger LOG = LoggerFactory.getLogger(RealModelExportTest.class);

  private static final Path SHARED =
      Path.of(System.getProperty("haq.shared", "absent"), "data/cifar10");

  @TempDir Path folder;

  /**
   * Points of top-1 between a file and the evaluation that the order of float sums alone may make
   * of 1,000 images; the exporter itself lets no answer differ from the file's plain reading.
   */
  private static final double MOST_POINTS = 0.5;

  @Test
  void everyFormatOfResNet20ScoresAsItsEvaluation() throws IOException {
    Path images = SHARED.resolve("test_lossless_1000.bin");
    assumeTrue(Files.exists(images), "shared models and images are not here");
    ImportedModel model =
        ModelImporter.read(Files.readAllBytes(SHARED.resolve("resnet20.onnx")), "id", "resnet20");
    try (ExportBench bench = new ExportBench(folder)) {
      DataSelection data = bench.imported(images, "cifar10");
      Policy policy = ExportBench.mixed(model.network().size());
      for (WeightScales scales : WeightScales.values()) {
        for (ExportFormat format : ExportFormat.values()) {
          ExportedFile file =
              bench.exporter.export(
                  new Exporter.Request(
                      model,
                      policy,
                      Recipe.HAQ.withWeightScales(scales),
                      Optional.of(data),
                      format,
                      false),
                  () -> false);
          if (file.fileAccuracy().isPresent()) {
            LOG.info("{} {}: {}", scales, format, file.notes());
            assertEquals(1000, file.fileAccuracy().get().images());
            assertEquals(
                file.evaluatedAccuracy().orElseThrow().top1(),
                file.fileAccuracy().orElseThrow().top1(),
                MOST_POINTS,
                () -> format + " " + file.notes());
          }
        }
      }
    }
  }
}
