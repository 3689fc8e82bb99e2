package dev.haq.model;

/**
 * How a policy becomes a quantized network, named so that results can be compared.
 *
 * @param name {@code haq}: linear quantization, clip thresholds by KL divergence (paper, 3.4)
 * @param weightScales one scale for each output channel, or one for the tensor
 */
public record Recipe(String name, WeightScales weightScales) {
  /** How many scales a weight tensor has. */
  public enum WeightScales {
    PER_CHANNEL,
    PER_TENSOR
  }

  /** The paper's way, with a scale for each channel: networks with depthwise layers need it. */
  public static final Recipe HAQ = new Recipe("haq", WeightScales.PER_CHANNEL);

  public Recipe {
    if (!"haq".equals(name)) {
      throw HaqException.invalid("there is no recipe '%s': use 'haq'", name);
    }
  }
}
