package dev.haq.quantizer.quant;

import dev.haq.model.HaqException;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.Clip;
import dev.haq.model.Recipe.CodebookStart;
import dev.haq.model.Recipe.WeightScales;
import java.util.Optional;

/**
 * The building blocks that a recipe is made of. Two recipes of equal numerics give equal networks.
 *
 * @param weights how a layer's weights are quantized
 * @param activationClip how the clip threshold of activations is chosen; empty: as changes the
 *     outputs of the layers that read them least, see {@link OutputErrors}
 * @param activationForm how codes lie about zero
 * @param equalised whether weight ranges are equalised across layers first, see {@code
 *     Equalisation}
 * @param biasCorrected whether the bias makes up for what quantized weights do to the mean output,
 *     see {@link BiasCorrection}
 */
public record Numerics(
    Weights weights,
    Optional<Clip> activationClip,
    ActivationForm activationForm,
    boolean equalised,
    boolean biasCorrected) {

  /** How weights are quantized. */
  public sealed interface Weights {
    /**
     * On a linear grid (paper, 3.4).
     *
     * @param clip how thresholds are chosen
     * @param scales how many thresholds there are
     * @param rounding which code a weight gets
     */
    record Linear(Clip clip, WeightScales scales, Rounding rounding) implements Weights {}

    /**
     * Shared among 2^bits values of the layer, see {@link Codebook}.
     *
     * @param start where k-means begins
     */
    record Shared(CodebookStart start) implements Weights {}
  }

  /** Which code a weight gets. */
  public enum Rounding {
    /** The nearest. */
    NEAREST,
    /**
     * The one that, with the others', changes the layer's output least: {@link
     * SecondOrderRounding}.
     */
    SECOND_ORDER
  }

  /** How the codes of activations lie about zero. */
  public enum ActivationForm {
    /** From zero where values are never negative, else evenly about it (paper, 3.4). */
    SYMMETRIC,
    /** As the range of the values asks for: {@link LinearQuantizer#affine}. */
    AFFINE
  }

  /** Whether anything needs to be known of a layer's inputs beyond how often values occur. */
  public boolean needsMoments() {
    return biasCorrected
        || (weights instanceof Weights.Linear linear && linear.rounding() == Rounding.SECOND_ORDER);
  }

  /** The blocks of a recipe, with its overrides in place. */
  public static Numerics of(Recipe recipe) {
    Numerics named = named(recipe);
    Weights weights = named.weights();
    if (weights instanceof Weights.Linear linear) {
      weights =
          new Weights.Linear(
              recipe.weightClip().orElse(linear.clip()), recipe.weightScales(), linear.rounding());
    } else if (recipe.weightClip().isPresent()) {
      throw HaqException.invalid(
          "recipe '%s' shares weights among centroids, which are not clipped: leave weight_clip out",
          recipe.name());
    }
    return new Numerics(
        weights,
        recipe.activationClip().or(named::activationClip),
        named.activationForm(),
        named.equalised(),
        named.biasCorrected());
  }

  private static Numerics named(Recipe recipe) {
    return switch (recipe.id()) {
      case "haq@1", "haq-finetune@1" ->
          new Numerics(
              new Weights.Linear(Clip.KL_DIVERGENCE, recipe.weightScales(), Rounding.NEAREST),
              Optional.of(Clip.KL_DIVERGENCE),
              ActivationForm.SYMMETRIC,
              false,
              false);
      case "ptq@1", "ptq@2" ->
          new Numerics(
              new Weights.Linear(Clip.SQUARED_ERROR, recipe.weightScales(), Rounding.SECOND_ORDER),
              recipe.version() == 1 ? Optional.of(Clip.SQUARED_ERROR) : Optional.empty(),
              ActivationForm.AFFINE,
              recipe.weightScales() == WeightScales.PER_TENSOR,
              true);
      case "kmeans@1" ->
          new Numerics(
              new Weights.Shared(recipe.codebookStart()),
              Optional.of(Clip.KL_DIVERGENCE),
              ActivationForm.SYMMETRIC,
              false,
              false);
      default -> throw HaqException.invalid("recipe '%s' has no numerics", recipe.id());
    };
  }
}
