package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.hwsim.Networks;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds for every target, over random layers and bits. */
class CostModelPropertiesTest {
  private static final int LAYERS = 400;

  static CostTable table(String target, Network network, int batch, Resource resource) {
    CostModel model = Catalogue.builtIn().file(target).accelerator().costModel(batch);
    return PlainCosts.table(network, model, resource, model.weightBits(), model.activationBits());
  }

  private static Network random(int seed) {
    return random(seed, LAYERS);
  }

  static Network random(int seed, int layers) {
    Random random = new Random(seed);
    return new Network(
        "",
        "random",
        IntStream.range(0, layers).mapToObj(i -> layer("l" + i, random)).toList(),
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
  @ValueSource(
      strings = {"bismo-cloud", "bismo-edge", "vnni-cpu", "tensor-core-gpu", "variable-bit-npu"})
  void costsArePositiveAndFiniteAndMoreBitsNeverCostLess(String target) {
    Accelerator accelerator = Catalogue.builtIn().file(target).accelerator();
    for (Resource resource : accelerator.resources()) {
      for (int batch : new int[] {1, 3, 16, 64}) {
        CostTable table = table(target, random(1), batch, resource);
        int activations = table.activationBits().size();
        for (int cell = 0; cell < table.values().length; cell++) {
          double cost = table.values()[cell];
          assertTrue(cost > 0 && Double.isFinite(cost), "cell " + cell);
          if (cell % activations > 0) {
            assertTrue(cost >= table.values()[cell - 1], "cell " + cell + ", activations");
          }
          if (cell / activations % table.weightBits().size() > 0) {
            assertTrue(cost >= table.values()[cell - activations], "cell " + cell + ", weights");
          }
        }
      }
    }
  }

  /** BitFusion's exceptions: {@link BitFusionExceptionsTest}. */
  @ParameterizedTest
  @CsvSource({
    "bismo-cloud, LATENCY",
    "bismo-edge, LATENCY",
    "vnni-cpu, LATENCY",
    "tensor-core-gpu, LATENCY",
    "variable-bit-npu, LATENCY",
    "variable-bit-npu, ENERGY"
  })
  void aLargerBatchNeverCostsLess(String target, Resource resource) {
    for (Network network : List.of(Networks.mobileNetV1(), Networks.mobileNetV2(), random(2, 60))) {
      double[] before = {};
      for (int batch = 1; batch <= 64; batch++) {
        double[] now = table(target, network, batch, resource).values();
        for (int i = 0; i < before.length; i++) {
          assertTrue(now[i] >= before[i], network.name() + " cell " + i + " at batch " + batch);
        }
        before = now;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bismo-cloud",
        "bismo-edge",
        "bitfusion",
        "vnni-cpu",
        "tensor-core-gpu",
        "variable-bit-npu"
      })
  void aPolicyCostsTheSumOfItsCellsBitForBit(String target) {
    Network network = random(3);
    Accelerator accelerator = Catalogue.builtIn().file(target).accelerator();
    CostModel model = accelerator.costModel(accelerator.batch());
    Random random = new Random(4);
    for (Resource resource : accelerator.resources()) {
      CostTable table =
          PlainCosts.table(network, model, resource, model.weightBits(), model.activationBits());
      for (int i = 0; i < 20; i++) {
        List<LayerBits> bits = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
          bits.add(
              LayerBits.of(any(model.weightBits(), random), any(model.activationBits(), random)));
        }
        Policy policy = new Policy(bits);
        Simulation simulation = PlainCosts.simulation(network, model, policy, Set.of(), false);
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

  private static int any(BitChoices choices, Random random) {
    return choices.bits().get(random.nextInt(choices.size()));
  }
}
