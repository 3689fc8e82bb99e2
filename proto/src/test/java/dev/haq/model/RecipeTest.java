package dev.haq.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecipeTest {
  @ParameterizedTest
  @ValueSource(strings = {"haq@1", "ptq@1", "ptq@2", "haq-finetune@1", "kmeans@1"})
  void whateverTheRecipeAndItsVersionItsNetworksCanBeTrainedAndJudged(String id) {
    Recipe recipe =
        Recipe.named(id)
            .withWeightScales(Recipe.WeightScales.PER_TENSOR)
            .withClips(Optional.empty(), Optional.of(Recipe.Clip.MIN_MAX));
    Recipe training = recipe.trainedWith(FineTuning.DEFAULT);
    assertTrue(training.isTrained());
    assertEquals(FineTuning.DEFAULT, training.training());
    assertEquals(Recipe.WeightScales.PER_TENSOR, training.weightScales());
    assertEquals(Optional.of(Recipe.Clip.MIN_MAX), training.activationClip());
    assertEquals(Optional.empty(), training.untrained().fineTuning());
  }
}
