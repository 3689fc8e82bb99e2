package dev.haq.model;

import java.util.List;
import java.util.Optional;

/**
 * How a policy becomes a quantized network, named so that results can be compared: a recipe of
 * {@link #NAMES}, and what departs from it.
 *
 * @param name {@code haq}: linear quantization, clip thresholds by KL divergence (paper, 3.4);
 *     {@code ptq}: the best without training; {@code haq-finetune}: haq, then fine-tuned (paper,
 *     3.5); {@code kmeans}: weights share 2^bits centroids (paper, 3.4, model size). Without a
 *     version ({@code @1}) the newest is meant
 * @param weightScales one scale for each output channel, or one for the tensor
 * @param weightClip empty for the recipe's own
 * @param activationClip empty for the recipe's own
 * @param fineTuning empty for the recipe's own
 */
public record Recipe(
    String name,
    WeightScales weightScales,
    Optional<Clip> weightClip,
    Optional<Clip> activationClip,
    Optional<FineTuning> fineTuning) {
  /** How many scales a weight tensor has. */
  public enum WeightScales {
    PER_CHANNEL,
    PER_TENSOR
  }

  /** How a clip threshold is chosen. */
  public enum Clip {
    /** Least Kullback-Leibler divergence (paper, 3.4). */
    KL_DIVERGENCE,
    /** Least mean squared error. */
    SQUARED_ERROR,
    /** A percentile of the magnitudes. */
    PERCENTILE,
    /** No clipping. */
    MIN_MAX
  }

  /** Every recipe there is. */
  public static final List<String> NAMES = List.of("haq", "ptq", "haq-finetune", "kmeans");

  /** The paper's way, with a scale for each channel: networks with depthwise layers need it. */
  public static final Recipe HAQ = named("haq");

  public Recipe {
    if (!NAMES.contains(name)) {
      throw HaqException.invalid(
          "there is no recipe '%s': use one of %s", name, String.join(", ", NAMES));
    }
  }

  /** A recipe as it is, with a weight scale for each channel. */
  public static Recipe named(String name) {
    return new Recipe(
        name, WeightScales.PER_CHANNEL, Optional.empty(), Optional.empty(), Optional.empty());
  }

  public Recipe withWeightScales(WeightScales scales) {
    return new Recipe(name, scales, weightClip, activationClip, fineTuning);
  }

  /** This recipe with other clip thresholds. */
  public Recipe withClips(Clip weights, Clip activations) {
    return new Recipe(
        name, weightScales, Optional.of(weights), Optional.of(activations), fineTuning);
  }

  public Recipe withFineTuning(FineTuning other) {
    return new Recipe(name, weightScales, weightClip, activationClip, Optional.of(other));
  }
}
