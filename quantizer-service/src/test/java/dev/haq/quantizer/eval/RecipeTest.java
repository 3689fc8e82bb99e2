package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.haq.model.BitWidth;
import dev.haq.model.LayerBits;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.Clip;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.quant.Numerics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Recipes on ResNet-20; skipped where it is not. See {@link RecipeBench} for whole tables. */
final class RecipeTest {
  @TempDir static Path folder;
  private static RecipeBench bench;

  @BeforeAll
  static void load() throws IOException {
    assumeTrue(
        Files.exists(SharedNetworks.SHARED.resolve("cifar10/test_lossless_1000.bin")),
        "shared models and images are not here");
    bench = new RecipeBench(SharedNetworks.resNet20(folder, 32, 1000));
  }

  /** Figures of an independent implementation, on the same images. */
  @Test
  void weightsUpToTheirLargestMagnitudeLoseWhatWasMeasuredElsewhere() {
    assertWeightsAlone(WeightScales.PER_CHANNEL, 4, 90.4);
    assertWeightsAlone(WeightScales.PER_CHANNEL, 3, 73.0);
    assertWeightsAlone(WeightScales.PER_TENSOR, 4, 85.3);
    assertWeightsAlone(WeightScales.PER_TENSOR, 3, 21.3);
  }

  private static void assertWeightsAlone(WeightScales scales, int bits, double top1) {
    Recipe recipe = Recipe.HAQ.withWeightScales(scales).withClips(Clip.MIN_MAX, Clip.MIN_MAX);
    LayerBits widths = new LayerBits(BitWidth.of(bits), BitWidth.FLOAT);
    assertEquals(top1, bench.judge(Numerics.of(recipe), widths, false).top1(), 0.3);
  }

  @Test
  void withoutTrainingThreeBitWeightsLoseNextToNothing() {
    RecipeBench.Result ptq =
        bench.judge(Numerics.of(Recipe.named("ptq")), LayerBits.of(3, 8), false);
    RecipeBench.Result haq = bench.judge(Numerics.of(Recipe.HAQ), LayerBits.of(3, 8), false);
    assertEquals(91.5, ptq.top1(), 1.5);
    assertTrue(ptq.divergence() < 0.3 * haq.divergence());
  }

  @Test
  void centroidsLoseLessThanALinearGridAtThreeBits() {
    LayerBits widths = new LayerBits(BitWidth.of(3), BitWidth.FLOAT);
    RecipeBench.Result shared = bench.judge(Numerics.of(Recipe.named("kmeans")), widths, false);
    RecipeBench.Result linear =
        bench.judge(
            Numerics.of(Recipe.HAQ.withWeightScales(WeightScales.PER_TENSOR)), widths, false);
    assertTrue(shared.divergence() < linear.divergence());
  }
}
