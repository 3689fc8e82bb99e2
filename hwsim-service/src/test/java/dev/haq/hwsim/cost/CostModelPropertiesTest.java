package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.model.BitChoices;
import dev.haq.model.CostTable;
import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.LayerCost;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import dev.haq.model.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every target, over random layers and bits. */
class CostModelPropertiesTest {
  private static final int LAYERS = 400;

  private static CostTable table(String target, Network network, int batch) {
    return CostTableBuilder.build(
        network,
        Catalogue.builtIn().get(target).costModel(batch),
        Resource.LATENCY,
        BitChoices.TABLE,
        BitChoices.TABLE);
  }

  private static Network random(int seed) {
    Random random = new Random(seed);
    return new Network(
        "",
        "random",
        IntStream.range(0, LAYERS).mapToObj(i -> layer("l" + i, random)).toList(),
        random.nextInt(1000));
  }

  private static Layer layer(String name, Random random) {
    int side = 1 + random.nextInt(60);
    int kernel = 1 + 2 * random.nextInt(3);
    Window window = Window.square(kernel, 1, kernel / 2);
    FeatureMap map = FeatureMap.square(side);
    int channels = 1 + random.nextInt(700);
    return switch (random.nextInt(4)) {
      case 0 ->
          new Layer.Conv2d(
              name, channels, 1 + random.nextInt(700), 1, window, map, map, random.nextInt(50));
      case 1 -> new Layer.Conv2d(name, 4 * channels, 8 * channels, 4, window, map, map, 0);
      case 2 -> new Layer.DepthwiseConv2d(name, channels, channels, window, map, map, channels);
      default ->
          new Layer.Linear(
              name, 1 + random.nextInt(5000), 1 + random.nextInt(2000), 1 + random.nextInt(40), 3);
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"bismo-cloud", "bismo-edge"})
  void costsArePositiveAndFiniteAndMoreBitsNeverCostLess(String target) {
    CostTable table = table(target, random(1), Catalogue.builtIn().get(target).batch());
    for (int layer = 0; layer < LAYERS; layer++) {
      for (int w = 1; w <= 8; w++) {
        for (int a = 1; a <= 8; a++) {
          double cost = table.cost(layer, LayerBits.of(w, a));
          assertTrue(cost > 0 && Double.isFinite(cost));
          String where = "layer " + layer + " at W" + w + "A" + a;
          assertTrue(w == 1 || cost >= table.cost(layer, LayerBits.of(w - 1, a)), where);
          assertTrue(a == 1 || cost >= table.cost(layer, LayerBits.of(w, a - 1)), where);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bismo-cloud", "bismo-edge"})
  void aLargerBatchNeverCostsLess(String target) {
    Network network = random(2);
    double[] before = new double[LAYERS * 64];
    for (int batch : new int[] {1, 2, 7, 8, 9, 16, 17, 40, 64}) {
      double[] now = table(target, network, batch).values();
      for (int i = 0; i < now.length; i++) {
        assertTrue(now[i] >= before[i], "cell " + i + " at batch " + batch);
      }
      before = now;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bismo-cloud", "bismo-edge"})
  void aPolicyCostsTheSumOfItsCellsBitForBit(String target) {
    Network network = random(3);
    Accelerator accelerator = Catalogue.builtIn().get(target);
    CostModel model = accelerator.costModel(accelerator.batch());
    Random random = new Random(4);
    for (Resource resource : List.of(Resource.LATENCY, Resource.MODEL_SIZE)) {
      CostTable table =
          CostTableBuilder.build(network, model, resource, BitChoices.TABLE, BitChoices.PAPER);
      for (int i = 0; i < 50; i++) {
        List<LayerBits> bits = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
          bits.add(LayerBits.of(1 + random.nextInt(8), 2 + random.nextInt(7)));
        }
        Policy policy = new Policy(bits);
        Simulation simulation = Simulation.of(network, model, policy, Set.of(), false);
        assertEquals(table.cost(policy), simulation.total().of(resource));
        double sum = 0;
        for (LayerCost layer : simulation.layers()) {
          sum += layer.cost().cycles();
          assertTrue(layer.utilisation().orElseThrow() > 0);
          assertTrue(layer.utilisation().orElseThrow() <= 1);
          assertTrue(layer.trafficBytes().orElseThrow() > 0);
        }
        assertEquals(sum, simulation.total().cycles());
      }
    }
  }
}
