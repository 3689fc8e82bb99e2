package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.DataSelection;
import dev.haq.model.LayerBits;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Preprocessing;
import dev.haq.model.Recipe;
import dev.haq.model.Shard;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.quantizer.data.Datasets;
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.graphs.GraphWriter;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.graphs.QdqGraph;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.onnx.ImportedModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real network on 1,000 real images; skipped where they are not. */
final class ResNet20Test {
  private static final Path SHARED =
      Path.of(System.getProperty("haq.shared", "absent"), "data/cifar10");

  /** Published for these images: 915 of 1,000. */
  private static final double FLOAT_TOP1 = 91.5;

  @TempDir static Path folder;
  private static ImportedModel model;
  private static Datasets datasets;
  private static DataSelection data;

  @BeforeAll
  static void load() throws IOException {
    Path images = SHARED.resolve("test_lossless_1000.bin");
    assumeTrue(Files.exists(images), "shared models and images are not here");
    model =
        ModelImporter.read(Files.readAllBytes(SHARED.resolve("resnet20.onnx")), "id", "resnet20");
    DatasetStore store =
        new DatasetStore(folder, ArchiveLimits.DEFAULT, DatasetStore.USUAL_PREPARED_BYTES);
    try (DatasetUpload upload =
        store.upload("cifar10", Optional.empty(), Optional.of(Preprocessing.preset("cifar10")))) {
      upload.write(ByteBuffer.wrap(Files.readAllBytes(images)));
      data = DataSelection.all(upload.finish(() -> false).id());
    }
    datasets = new Datasets(store);
  }

  private static Evaluator evaluator(GraphWriter writer) {
    return TestEvaluators.of(datasets, writer, TestEvaluators.limits(2, 1, 10, 2, 2));
  }

  private static double top1(GraphWriter writer, Optional<Policy> policy) {
    try (Evaluator evaluator = evaluator(writer)) {
      return evaluator
          .evaluate(new EvaluationRequest(model, data, policy, Recipe.HAQ, false), () -> false)
          .accuracy()
          .top1();
    }
  }

  private static Optional<Policy> inner(int weightBits, int activationBits) {
    int layers = model.network().size();
    return Optional.of(
        Policy.uniform(layers, LayerBits.of(weightBits, activationBits))
            .with(0, LayerBits.of(8, 8))
            .with(layers - 1, LayerBits.of(8, 8)));
  }

  @Test
  void theFloatModelLabelsAsPublished() {
    assertEquals(FLOAT_TOP1, top1(new IntegerGraph(Processor.detect()), Optional.empty()), 0.1);
  }

  @Test
  void eightBitsCostAtMostHalfAPoint() {
    assertEquals(FLOAT_TOP1, top1(new IntegerGraph(Processor.detect()), inner(8, 8)), 0.5);
  }

  @Test
  void theFastFormsLabelAsTheJudgeDoes() {
    for (int[] bits : new int[][] {{8, 8}, {4, 4}, {5, 3}}) {
      Optional<Policy> policy = inner(bits[0], bits[1]);
      double expected = top1(new FakeQuantizedGraph(), policy);
      assertEquals(expected, top1(new IntegerGraph(Processor.detect()), policy), 0.7);
      assertEquals(expected, top1(new QdqGraph(Processor.detect()), policy), 0.7);
    }
  }

  /** Shortcuts by Slice and Pad cross the cuts here. */
  @Test
  void aLayersSensitivityIsWhatAnEvaluationOfThatOneOperandSays() {
    DataSelection few =
        new DataSelection(
            data.datasetId(), Optional.empty(), data.split(), 20, 16, 0, data.heldOutFraction());
    BitChoices three = new BitChoices(List.of(3));
    List<LayerSensitivity> entries = new ArrayList<>();
    try (Evaluator evaluator = evaluator(new FakeQuantizedGraph())) {
      new Sensitivity(evaluator, new SensitivityStore(folder.resolve("sensitivity")))
          .measure(
              new Sensitivity.Request(model, few, Recipe.HAQ, three, three),
              new Sensitivity.Listener() {
                @Override
                public void start(Accuracy baseline, int count) {
                  assertEquals(2 * model.network().size(), count);
                }

                @Override
                public void entry(
                    LayerSensitivity entry, int done, double secondsLeft, boolean cached) {
                  entries.add(entry);
                }
              },
              () -> false);
      for (int layer : new int[] {0, 7, 8, 13, 19}) {
        for (Operand operand : Operand.values()) {
          Policy policy =
              Policy.unquantized(model.network().size())
                  .with(layer, LayerBits.unquantized().with(operand, BitWidth.of(3)));
          double expected =
              evaluator
                  .evaluate(
                      new EvaluationRequest(
                          model, few, Optional.of(policy), Recipe.HAQ, false, Shard.WHOLE, true),
                      () -> false)
                  .accuracy()
                  .klDivergence()
                  .orElseThrow();
          LayerSensitivity found = entries.get(2 * layer + (operand == Operand.WEIGHTS ? 0 : 1));
          assertEquals(operand, found.point().operand());
          assertEquals(
              expected, found.accuracy().klDivergence().orElseThrow(), 1e-2 * expected + 1e-6);
        }
      }
    }
  }
}
