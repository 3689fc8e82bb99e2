package dev.haq.quantizer.eval;

import dev.haq.model.DataSelection;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Preprocessing;
import dev.haq.model.Recipe;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.quantizer.data.Datasets;
import dev.haq.quantizer.onnx.GraphWriter;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.IntegerGraph;
import dev.haq.quantizer.onnx.ModelImporter;
import dev.haq.quantizer.onnx.Processor;
import dev.haq.quantizer.onnx.QdqGraph;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long a quantized evaluation takes, opening its session included, as a share of the float
 * model's: {@code MODEL.onnx DATA.bin|DATA.zip PRESET IMAGES}. First and last layers are at 8 bits.
 */
public final class EvaluationBench {
  private static final Logger LOG = LoggerFactory.getLogger(EvaluationBench.class);
  private static final int ROUNDS = 5;

  private EvaluationBench() {}

  public static void main(String[] args) throws IOException {
    ImportedModel model = ModelImporter.read(Files.readAllBytes(Path.of(args[0])), "id", "model");
    DatasetStore store =
        new DatasetStore(Files.createTempDirectory("bench"), ArchiveLimits.DEFAULT);
    Preprocessing preprocessing = Preprocessing.preset(args[2]);
    String dataset;
    try (DatasetUpload upload = store.upload("bench", Optional.empty(), Optional.empty())) {
      upload.write(ByteBuffer.wrap(Files.readAllBytes(Path.of(args[1]))));
      dataset = upload.finish().id();
    }
    DataSelection data =
        new DataSelection(
            dataset,
            Optional.of(preprocessing),
            DataSelection.Split.ALL,
            Integer.parseInt(args[3]),
            DataSelection.DEFAULT_CALIBRATION_IMAGES,
            0,
            DataSelection.DEFAULT_HELD_OUT_FRACTION);
    Datasets datasets = new Datasets(store, Datasets.DEFAULT_CACHE_BYTES);
    for (GraphWriter writer :
        new GraphWriter[] {
          new QdqGraph(Processor.detect()), new IntegerGraph(Processor.detect())
        }) {
      try (Evaluator evaluator =
          new Evaluator(
              (selection, shape, classes) ->
                  TestImages.of(datasets.images(selection, shape.get(1), shape.get(2))),
              writer,
              new Evaluator.Limits(Runtime.getRuntime().availableProcessors(), 1, 100, 2, 2))) {
        for (int[] bits : new int[][] {{8, 8}, {6, 6}, {4, 4}}) {
          report(evaluator, writer, model, data, bits[0], bits[1]);
        }
      }
    }
  }

  private static void report(
      Evaluator evaluator,
      GraphWriter writer,
      ImportedModel model,
      DataSelection data,
      int weightBits,
      int activationBits) {
    int layers = model.network().size();
    Policy policy =
        Policy.uniform(layers, LayerBits.of(weightBits, activationBits))
            .with(0, LayerBits.of(8, 8))
            .with(layers - 1, LayerBits.of(8, 8));
    double[] ratios = new double[ROUNDS];
    Evaluation last = null;
    for (int round = 0; round < ROUNDS; round++) {
      last =
          evaluator.evaluate(
              new Evaluator.Request(model, data, Optional.of(policy), Recipe.HAQ, true),
              () -> false);
      ratios[round] = last.seconds() / last.floatSeconds().orElseThrow();
    }
    Arrays.sort(ratios);
    LOG.info(
        String.format(
            Locale.ROOT,
            "%s W%dA%d: top-1 %.2f, quantized/float median %.3f (%.3f to %.3f), float %.3f s",
            writer.getClass().getSimpleName(),
            weightBits,
            activationBits,
            last.accuracy().top1(),
            ratios[ROUNDS / 2],
            ratios[0],
            ratios[ROUNDS - 1],
            last.floatSeconds().orElseThrow()));
  }
}
