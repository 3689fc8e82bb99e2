package dev.haq.model;

import java.util.List;

/**
 * One resource's cost of every layer at every pair of bit-widths: cell [layer][weight
 * choice][activation choice], row-major.
 *
 * <p>A policy's cost is the sum of its layers' cells, added in layer order, and {@code fixed},
 * added last, so that it equals a simulation of the policy bit for bit.
 *
 * @param resource what the values measure, in its unit
 * @param layers names, in network order
 * @param values {@code layers x weightBits x activationBits} values
 * @param cycles the same cells in clock cycles; empty where the target is not clocked or the
 *     resource is not latency
 * @param extrapolated whether any cell rests on unpublished parts of a model
 * @param fixed what every policy costs beside its layers, at least 0: for model size the bytes of
 *     the parameters outside the quantizable layers
 */
public record CostTable(
    Resource resource,
    List<String> layers,
    BitChoices weightBits,
    BitChoices activationBits,
    double[] values,
    double[] cycles,
    boolean extrapolated,
    double fixed) {
  public CostTable {
    if (!(fixed >= 0)) {
      throw HaqException.invalid("cost table: fixed cost %s must be at least 0", fixed);
    }
    layers = List.copyOf(layers);
    int cells = layers.size() * weightBits.size() * activationBits.size();
    if (values.length != cells || (cycles.length != 0 && cycles.length != cells)) {
      throw HaqException.invalid(
          "cost table has %d values and %d cycles, but %d layers x %d weight widths x %d activation widths are %d cells",
          values.length,
          cycles.length,
          layers.size(),
          weightBits.size(),
          activationBits.size(),
          cells);
    }
  }

  /** A table without a fixed cost. */
  public CostTable(
      Resource resource,
      List<String> layers,
      BitChoices weightBits,
      BitChoices activationBits,
      double[] values,
      double[] cycles,
      boolean extrapolated) {
    this(resource, layers, weightBits, activationBits, values, cycles, extrapolated, 0);
  }

  /**
   * Index of a layer's cell. The size of a model does not depend on its activations, which may be
   * float there.
   */
  public int cell(int layer, LayerBits bits) {
    int w = weightBits.indexOf(bits.weights());
    int a = resource == Resource.MODEL_SIZE ? 0 : activationBits.indexOf(bits.activations());
    if (w < 0 || a < 0) {
      throw new HaqException(
          Reason.INVALID_BITS,
          "layer %s at %s is not in the cost table: weights may be %s, activations %s"
              .formatted(layers.get(layer), bits, weightBits, activationBits));
    }
    return (layer * weightBits.size() + w) * activationBits.size() + a;
  }

  /** Cost of one layer, in the resource's unit. */
  public double cost(int layer, LayerBits bits) {
    return values[cell(layer, bits)];
  }

  /** Cost of a whole policy, in the resource's unit. */
  public double cost(Policy policy) {
    double sum = 0;
    for (int layer = 0; layer < policy.size(); layer++) {
      sum += cost(layer, policy.get(layer));
    }
    return sum + fixed;
  }
}
