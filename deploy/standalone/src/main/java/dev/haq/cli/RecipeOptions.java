package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Recipe.Clip;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.wire.RecipeWire;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** How bit-widths become a quantized network. */
final class RecipeOptions {
  private static final Map<String, Clip> CLIPS =
      new TreeMap<>(
          Map.of(
              "kl", Clip.KL_DIVERGENCE,
              "mse", Clip.SQUARED_ERROR,
              "percentile", Clip.PERCENTILE,
              "min-max", Clip.MIN_MAX));

  @Option(
      names = "--recipe",
      paramLabel = "NAME",
      defaultValue = "haq",
      description =
          "haq, the paper's way (the default); ptq, the best without training; haq-finetune, haq"
              + " and then trained; kmeans, weights that share 2^bits values. A version may follow,"
              + " as in ptq@2; otherwise the newest is meant.")
  private String recipe;

  @Option(
      names = "--weight-clip",
      paramLabel = "C",
      description =
          "Where weights are clipped: kl (least divergence), mse (least squared error), percentile"
              + " (99.99) or min-max (nowhere). The recipe's own by default.")
  private String weightClip;

  @Option(names = "--activation-clip", paramLabel = "C", description = "The same for activations.")
  private String activationClip;

  @Option(
      names = "--per-tensor",
      description = "One weight scale a layer; one an output channel by default.")
  private boolean perTensor;

  Recipe recipe() {
    return RecipeWire.toProto(
        dev.haq.model.Recipe.named(recipe)
            .withWeightScales(perTensor ? WeightScales.PER_TENSOR : WeightScales.PER_CHANNEL)
            .withClips(
                clip("--weight-clip", weightClip), clip("--activation-clip", activationClip)));
  }

  /** What a service is at for long when it evaluates by this recipe and tells no progress. */
  String evaluating() {
    return dev.haq.model.Recipe.named(recipe).isTrained()
        ? "recipe %s: training the network for this policy, then evaluating it ..."
            .formatted(recipe)
        : "recipe %s: calibrating and quantizing the layers, once for this model and data, then evaluating ..."
            .formatted(recipe);
  }

  private static Optional<Clip> clip(String option, String name) {
    if (name == null) {
      return Optional.empty();
    }
    Clip clip = CLIPS.get(name);
    if (clip == null) {
      throw HaqException.invalid("%s %s: use one of %s", option, name, CLIPS.keySet());
    }
    return Optional.of(clip);
  }
}
