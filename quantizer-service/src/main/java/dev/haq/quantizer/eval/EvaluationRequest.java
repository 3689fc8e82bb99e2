package dev.haq.quantizer.eval;

import dev.haq.model.DataSelection;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.model.Shard;
import dev.haq.quantizer.onnx.ImportedModel;
import java.util.Optional;

/**
 * What is to be evaluated.
 *
 * @param policy empty for the float model
 * @param compareSpeed also time the float model, on the same images and threads, in turns
 * @param shard which part of the selected images
 * @param measureDivergence also compare with the float model's class probabilities
 */
public record EvaluationRequest(
    ImportedModel model,
    DataSelection data,
    Optional<Policy> policy,
    Recipe recipe,
    boolean compareSpeed,
    Shard shard,
    boolean measureDivergence) {
  /** On all images, by their labels alone. */
  public EvaluationRequest(
      ImportedModel model,
      DataSelection data,
      Optional<Policy> policy,
      Recipe recipe,
      boolean compareSpeed) {
    this(model, data, policy, recipe, compareSpeed, Shard.WHOLE, false);
  }

  /** The policy, unless it leaves all layers in floating point: that is the float model. */
  Optional<Policy> quantizingPolicy() {
    return policy.filter(p -> !p.layers().stream().allMatch(LayerBits.unquantized()::equals));
  }
}
