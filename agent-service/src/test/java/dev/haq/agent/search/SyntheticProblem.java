package dev.haq.agent.search;

import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Budget;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import dev.haq.model.Window;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SplittableRandom;

/**
 * A made-up network, hardware and accuracy behind the ports: depthwise-separable layers, latency in
 * proportion to weight bits times activation bits times MACs, and layers that bear quantization
 * very unevenly. Quantization noise of an operand falls fourfold with every bit; the network's
 * noise is the sum, and accuracy falls off exponentially with it.
 */
public final class SyntheticProblem implements HardwareCosts, AccuracyEvaluator, SensitivityMeter {
  private static final int IMAGES = 2000;
  private static final double FLOAT_TOP1 = 0.92;
  private static final double SECONDS_PER_BIT_OPERATION = 1e-12;

  private final Network network;
  private final CostTable table;
  private final double[][] sensitivity; // [layer][0 weights, 1 activations]
  private int evaluations;
  private int measurements;

  /**
   * @param blocks of a depthwise and a pointwise convolution between the first and the last layer
   */
  public SyntheticProblem(int blocks, long seed) {
    network = new Network("", "synthetic", layers(blocks), 0);
    table = table(network);
    SplittableRandom random = new SplittableRandom(seed);
    sensitivity = new double[network.size()][2];
    for (double[] operands : sensitivity) {
      for (int operand = 0; operand < 2; operand++) {
        // between 0.02 and 20, evenly in the logarithm: five bits' worth of difference
        operands[operand] = 0.02 * Math.pow(1000, random.nextDouble());
      }
    }
  }

  private static List<Layer> layers(int blocks) {
    List<Layer> layers = new ArrayList<>();
    layers.add(convolution("first", 3, 16, 3, 1, 32));
    int channels = 16;
    int side = 32;
    for (int block = 0; block < blocks; block++) {
      boolean down = block % 3 == 2 && side > 2;
      FeatureMap input = FeatureMap.square(side);
      side = down ? side / 2 : side;
      layers.add(
          new Layer.DepthwiseConv2d(
              "dw" + block,
              channels,
              channels,
              Window.square(3, down ? 2 : 1, 1),
              input,
              FeatureMap.square(side),
              channels));
      int outputs = down ? channels * 2 : channels;
      layers.add(convolution("pw" + block, channels, outputs, 1, 1, side));
      channels = outputs;
    }
    layers.add(new Layer.Linear("last", channels, 10, 1, 10));
    return layers;
  }

  private static Layer convolution(
      String name, int inputs, int outputs, int kernel, int stride, int side) {
    return new Layer.Conv2d(
        name,
        inputs,
        outputs,
        1,
        Window.square(kernel, stride, kernel / 2),
        FeatureMap.square(side),
        FeatureMap.square(side / stride),
        outputs);
  }

  private static CostTable table(Network network) {
    BitChoices bits = BitChoices.TABLE;
    double[] values = new double[network.size() * bits.size() * bits.size()];
    int cell = 0;
    for (Layer layer : network.layers()) {
      for (int w : bits.bits()) {
        for (int a : bits.bits()) {
          values[cell++] = w * a * (double) layer.macs() * SECONDS_PER_BIT_OPERATION;
        }
      }
    }
    return new CostTable(
        Resource.LATENCY,
        network.layers().stream().map(Layer::name).toList(),
        bits,
        bits,
        values,
        new double[0],
        false);
  }

  /** A search for the most accurate policy within {@code ratio} of the 8-bit latency. */
  public SearchSettings settings(double ratio, long seed, int episodes) {
    return settings(ratio, seed, episodes, Reward.ACCURACY);
  }

  public SearchSettings settings(double ratio, long seed, int episodes, Reward reward) {
    BudgetLimit limit = BudgetLimit.of(Budget.ratio(Resource.LATENCY, ratio), network, this);
    return new SearchSettings(
        network,
        List.of(new ResourceBudget(table, limit)),
        BitChoices.PAPER,
        BitChoices.PAPER,
        Pinning.FIRST_AND_LAST,
        reward,
        seed,
        episodes);
  }

  public Network network() {
    return network;
  }

  @Override
  public CostTable table(Resource resource) {
    return table;
  }

  /** Of latency. */
  public CostTable table() {
    return table;
  }

  /** One width at a time, everything else in float. */
  @Override
  public Sensitivities measure(BitChoices weights, BitChoices activations) {
    measurements++;
    Map<Sensitivities.Entry, Accuracy> entries = new HashMap<>();
    for (int layer = 0; layer < network.size(); layer++) {
      for (Operand operand : Operand.values()) {
        double alone = sensitivity[layer][operand == Operand.WEIGHTS ? 0 : 1];
        for (int bits : (operand == Operand.WEIGHTS ? weights : activations).bits()) {
          BitWidth width = BitWidth.of(bits);
          entries.put(
              new Sensitivities.Entry(new Decision(layer, operand), width),
              accuracy(alone * noise(width)));
        }
      }
    }
    return new Sensitivities(baseline(), entries);
  }

  @Override
  public Cost simulate(Policy policy) {
    return new Cost(0, table.cost(policy), OptionalDouble.empty(), 0);
  }

  @Override
  public Accuracy baseline() {
    return accuracy(0);
  }

  @Override
  public Accuracy evaluate(Policy policy) {
    evaluations++;
    double noise = 0;
    for (int layer = 0; layer < policy.size(); layer++) {
      LayerBits bits = policy.get(layer);
      noise += sensitivity[layer][0] * noise(bits.weights());
      noise += sensitivity[layer][1] * noise(bits.activations());
    }
    return accuracy(noise);
  }

  /** How often sensitivities were measured. */
  public int measurements() {
    return measurements;
  }

  /** How often a policy was evaluated. */
  public int evaluations() {
    return evaluations;
  }

  private static double noise(BitWidth width) {
    return Math.pow(4, -width.bits());
  }

  private static Accuracy accuracy(double noise) {
    int correct = (int) Math.round(IMAGES * FLOAT_TOP1 * Math.exp(-2 * noise));
    return new Accuracy(
        IMAGES, correct, correct, IMAGES * noise, OptionalDouble.of(IMAGES * noise));
  }
}
