package dev.haq.quantizer.tune;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.quantizer.disk.FilesOf;
import dev.haq.quantizer.disk.Sha256;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;

/**
 * What is to be fine-tuned and how.
 *
 * @param data judges the network before and after
 * @param name of the new model, for people
 */
public record TuningRequest(
    ImportedModel model, Policy policy, Recipe recipe, DataSelection data, String name) {
  /** Raised when the same request would give other weights. */
  private static final String ALGORITHM = "3";

  private static final int LONGEST_PREFIX = 160;

  public TuningRequest {
    if (!recipe.isTrained()) {
      throw HaqException.invalid(
          "recipe '%s' is not fine-tuned: use haq-finetune, or kmeans with fine_tuning",
          recipe.name());
    }
    policy.checkedAgainst(model.network());
    recipe = recipe.withFineTuning(recipe.training());
    name = name.isBlank() ? tuned(model.network().name()) : name.strip();
  }

  /** Cut where models are tuned again and again. */
  private static String tuned(String name) {
    return name.substring(0, Math.min(name.length(), LONGEST_PREFIX)) + " (fine-tuned)";
  }

  /**
   * A file's name, of all that decides about the outcome; the model's name does not. It is found by
   * the model and the datasets.
   */
  public String digest() {
    byte[] canonical =
        FineTuneRequest.newBuilder()
            .setModel(model.id())
            .setPolicy(BitsWire.toProto(policy, model.network()))
            .setRecipe(RecipeWire.toProto(recipe))
            .setData(DataWire.toProto(data))
            .setName(ALGORITHM)
            .build()
            .toByteArray();
    return FilesOf.name(
        new Sha256().add(canonical).hex(),
        model.id(),
        data.datasetId(),
        recipe.training().data().orElse(data).datasetId());
  }
}
