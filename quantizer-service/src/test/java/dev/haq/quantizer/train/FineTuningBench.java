package dev.haq.quantizer.train;

import dev.haq.model.DataSelection;
import dev.haq.model.FineTuning;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Preprocessing;
import dev.haq.model.Recipe;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.quantizer.data.Datasets;
import dev.haq.quantizer.eval.EvaluationRequest;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.TestEvaluators;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.onnx.ImportedModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What fine-tuning does to accuracy, and how fast it is beside training the same network in
 * floating point: {@code MODEL.onnx TRAIN.zip TEST.bin PRESET W A EPOCHS RATE [constant|cosine
 * [fixed|learnt [BATCH]]]}. All but the first and last layers get W and A bits, these 8. With 0
 * epochs it measures speed instead.
 */
public final class FineTuningBench {
  private static final Logger LOG = LoggerFactory.getLogger(FineTuningBench.class);
  private static final int SPEED_IMAGES = 320;
  private static final int SPEED_ROUNDS = 3;

  private FineTuningBench() {}

  public static void main(String[] args) throws IOException {
    ImportedModel model = ModelImporter.read(Files.readAllBytes(Path.of(args[0])), "id", "model");
    DatasetStore store =
        new DatasetStore(
            Files.createTempDirectory("bench"),
            ArchiveLimits.DEFAULT,
            DatasetStore.USUAL_PREPARED_BYTES);
    DataSelection train = selection(store, args[1], args[3], 0);
    DataSelection test = selection(store, args[2], args[3], 0);
    DataSelection few = selection(store, args[1], args[3], SPEED_IMAGES);
    int layers = model.network().size();
    Policy policy =
        Policy.uniform(layers, LayerBits.of(Integer.parseInt(args[4]), Integer.parseInt(args[5])))
            .with(0, LayerBits.of(8, 8))
            .with(layers - 1, LayerBits.of(8, 8));
    int epochs = Integer.parseInt(args[6]);
    FineTuning.Schedule schedule =
        args.length > 8 && args[8].equals("cosine")
            ? FineTuning.Schedule.COSINE
            : FineTuning.Schedule.CONSTANT;
    boolean learnt = args.length > 9 && args[9].equals("learnt");
    int batch = args.length > 10 ? Integer.parseInt(args[10]) : 64;
    FineTuning settings =
        new FineTuning(
            Optional.of(train),
            Math.max(1, epochs),
            Double.parseDouble(args[7]),
            0.9,
            0,
            batch,
            schedule,
            learnt,
            1);
    Recipe recipe = Recipe.named("haq-finetune").withFineTuning(settings);
    int threads = Runtime.getRuntime().availableProcessors();
    Datasets datasets = new Datasets(store);
    try (Evaluator evaluator =
        new Evaluator(
            datasets,
            new IntegerGraph(Processor.detect()),
            new StraightThroughTuner(threads),
            TestEvaluators.limits(threads, 1, 100, 2, 2))) {
      if (epochs == 0) {
        speed(evaluator, model, few, policy, recipe);
      } else {
        double before = top1(evaluator, model, test, policy, recipe.untrained());
        long start = System.nanoTime();
        double after = top1(evaluator, model, test, policy, recipe);
        LOG.info(
            String.format(
                Locale.ROOT,
                "W%sA%s, %d epochs at %s: top-1 %.2f before, %.2f after, %.1f s",
                args[4],
                args[5],
                epochs,
                args[7],
                before,
                after,
                (System.nanoTime() - start) / 1e9));
      }
    }
  }

  private static DataSelection selection(DatasetStore store, String file, String preset, int images)
      throws IOException {
    try (DatasetUpload upload = store.upload("bench", Optional.empty(), Optional.empty())) {
      upload.write(ByteBuffer.wrap(Files.readAllBytes(Path.of(file))));
      return new DataSelection(
          upload.finish(() -> false).id(),
          Optional.of(Preprocessing.preset(preset)),
          DataSelection.Split.ALL,
          images,
          DataSelection.DEFAULT_CALIBRATION_IMAGES,
          0,
          DataSelection.DEFAULT_HELD_OUT_FRACTION);
    }
  }

  private static double top1(
      Evaluator evaluator, ImportedModel model, DataSelection data, Policy policy, Recipe recipe) {
    return evaluator
        .evaluate(
            new EvaluationRequest(model, data, Optional.of(policy), recipe, false), () -> false)
        .accuracy()
        .top1();
  }

  /** Float and quantized training in turns; the first round warms up. */
  private static void speed(
      Evaluator evaluator, ImportedModel model, DataSelection few, Policy policy, Recipe recipe) {
    FineTuning s = recipe.training();
    FineTuning once =
        new FineTuning(
            Optional.of(few),
            1,
            1e-6,
            s.momentum(),
            0,
            s.batchSize(),
            FineTuning.Schedule.CONSTANT,
            s.learnClips(),
            1);
    Policy real = Policy.uniform(model.network().size(), LayerBits.unquantized());
    double[][] rates = new double[2][SPEED_ROUNDS];
    for (int round = -1; round < SPEED_ROUNDS; round++) {
      int which = 0;
      for (Policy each : List.of(real, policy)) {
        double rate =
            evaluator
                .tune(
                    new EvaluationRequest(
                        model, few, Optional.of(each), recipe.withFineTuning(once), false),
                    Optional.empty(),
                    step -> {},
                    () -> false)
                .imagesPerSecond();
        if (round >= 0) {
          rates[which][round] = rate;
        }
        which++;
      }
    }
    Arrays.sort(rates[0]);
    Arrays.sort(rates[1]);
    int middle = SPEED_ROUNDS / 2;
    LOG.info(
        String.format(
            Locale.ROOT,
            "images per second: float %.0f, quantized %.0f, ratio %.2f",
            rates[0][middle],
            rates[1][middle],
            rates[1][middle] / rates[0][middle]));
  }
}
