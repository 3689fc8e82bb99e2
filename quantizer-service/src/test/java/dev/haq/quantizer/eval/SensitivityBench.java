package dev.haq.quantizer.eval;

import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.DataSelection;
import dev.haq.model.Operand;
import dev.haq.model.Preprocessing;
import dev.haq.model.Recipe;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.quantizer.data.Datasets;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.onnx.ImportedModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long measuring the sensitivity of every layer takes, and the ranking it gives: {@code
 * MODEL.onnx DATA.bin|DATA.zip PRESET IMAGES [RECIPE]}.
 */
public final class SensitivityBench {
  private static final Logger LOG = LoggerFactory.getLogger(SensitivityBench.class);
  private static final int SHOWN = 12;

  private SensitivityBench() {}

  public static void main(String[] args) throws IOException {
    ImportedModel model = ModelImporter.read(Files.readAllBytes(Path.of(args[0])), "id", "model");
    Path folder = Files.createTempDirectory("bench");
    DatasetStore store =
        new DatasetStore(folder, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES);
    String dataset;
    try (DatasetUpload upload = store.upload("bench", Optional.empty(), Optional.empty())) {
      upload.write(ByteBuffer.wrap(Files.readAllBytes(Path.of(args[1]))));
      dataset = upload.finish(() -> false).id();
    }
    DataSelection data =
        new DataSelection(
            dataset,
            Optional.of(Preprocessing.preset(args[2])),
            DataSelection.Split.ALL,
            Integer.parseInt(args[3]),
            DataSelection.DEFAULT_CALIBRATION_IMAGES,
            0,
            DataSelection.DEFAULT_HELD_OUT_FRACTION);
    Recipe recipe = Recipe.named(args.length > 4 ? args[4] : "haq");
    Datasets datasets = new Datasets(store);
    try (Evaluator evaluator =
        TestEvaluators.of(
            datasets,
            new IntegerGraph(Processor.detect()),
            TestEvaluators.limits(Runtime.getRuntime().availableProcessors(), 1, 100, 2, 2))) {
      Evaluation exact =
          evaluator.evaluate(
              new EvaluationRequest(model, data, Optional.empty(), recipe, true), () -> false);
      report("float model, one run: %.3f s", exact.seconds());
      Sensitivity sensitivity =
          new Sensitivity(evaluator, new SensitivityStore(folder.resolve("sensitivity")));
      Sensitivity.Request request =
          new Sensitivity.Request(model, data, recipe, BitChoices.PAPER, BitChoices.PAPER);
      rank(measure(sensitivity, request));
      measure(sensitivity, request);
    }
  }

  private static List<LayerSensitivity> measure(
      Sensitivity sensitivity, Sensitivity.Request request) {
    List<LayerSensitivity> found = new ArrayList<>();
    long start = System.nanoTime();
    sensitivity.measure(
        request,
        new Sensitivity.Listener() {
          @Override
          public void start(Accuracy baseline, int entries) {
            report(
                "%d entries, float top-1 %.2f, first told after %.2f s",
                entries, baseline.top1(), (System.nanoTime() - start) / 1e9);
          }

          @Override
          public void entry(LayerSensitivity entry, int done, double secondsLeft, boolean cached) {
            found.add(entry);
            if (done % 70 == 0) {
              report(
                  "%d done after %.2f s, %.1f s left by estimate",
                  done, (System.nanoTime() - start) / 1e9, secondsLeft);
            }
          }
        },
        () -> false);
    report("all after %.2f s", (System.nanoTime() - start) / 1e9);
    return found;
  }

  private static void rank(List<LayerSensitivity> found) {
    for (Operand operand : Operand.values()) {
      for (int bits : new int[] {2, 3, 4}) {
        found.stream()
            .filter(e -> e.point().operand() == operand && e.point().bits() == bits)
            .sorted(Comparator.comparingDouble(e -> -e.accuracy().klDivergenceSum().orElseThrow()))
            .limit(SHOWN)
            .forEach(
                e ->
                    report(
                        "%s %d bits %s: KL %.5f, top-1 %.2f, SNR %.2f dB",
                        operand,
                        bits,
                        e.point().layer(),
                        e.accuracy().klDivergence().orElseThrow(),
                        e.accuracy().top1(),
                        e.signalToNoiseDb().orElse(Double.POSITIVE_INFINITY)));
      }
    }
  }

  private static void report(String format, Object... figures) {
    LOG.info(String.format(Locale.ROOT, format, figures));
  }
}
