package dev.haq.quantizer.quant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.FineTuning;
import dev.haq.model.HaqException;
import dev.haq.model.Recipe;
import dev.haq.model.Recipe.Clip;
import dev.haq.model.Recipe.WeightScales;
import dev.haq.quantizer.quant.Numerics.Weights;
import dev.haq.wire.RecipeWire;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class NumericsTest {
  @Test
  void everyVersionOfEveryRecipeHasNumericsAndTheNewestIsMeant() {
    for (String name : Recipe.NAMES) {
      Recipe newest = Recipe.named(name);
      for (int version = 1; version < newest.version(); version++) {
        assertNotEquals(Numerics.of(newest), Numerics.of(Recipe.named(name + "@" + version)));
      }
      assertEquals(Numerics.of(newest), Numerics.of(Recipe.named(newest.id())));
    }
  }

  @Test
  void thePapersWayIsDivergenceAndTheNearestCode() {
    Numerics haq = Numerics.of(Recipe.HAQ);
    assertEquals(
        new Weights.Linear(Clip.KL_DIVERGENCE, WeightScales.PER_CHANNEL, Numerics.Rounding.NEAREST),
        haq.weights());
    assertEquals(Optional.of(Clip.KL_DIVERGENCE), haq.activationClip());
    assertEquals(Numerics.ActivationForm.SYMMETRIC, haq.activationForm());
    assertEquals(haq, Numerics.of(Recipe.named("haq-finetune")));
  }

  @Test
  void overridesApplyOnTopOfTheRecipe() {
    Numerics changed =
        Numerics.of(
            Recipe.named("ptq")
                .withWeightScales(WeightScales.PER_TENSOR)
                .withClips(Clip.MIN_MAX, Clip.PERCENTILE));
    Weights.Linear weights = (Weights.Linear) changed.weights();
    assertEquals(Clip.MIN_MAX, weights.clip());
    assertEquals(WeightScales.PER_TENSOR, weights.scales());
    assertEquals(Numerics.Rounding.SECOND_ORDER, weights.rounding());
    assertEquals(Optional.of(Clip.PERCENTILE), changed.activationClip());
    assertNotEquals(changed, Numerics.of(Recipe.named("ptq")));
  }

  @Test
  void anOldVersionDoesWhatItDid() {
    Numerics first = Numerics.of(Recipe.named("ptq@1"));
    assertEquals(Optional.of(Clip.SQUARED_ERROR), first.activationClip());
    assertEquals(
        first,
        Numerics.of(
            Recipe.named("ptq@2").withClips(Optional.empty(), Optional.of(Clip.SQUARED_ERROR))));
    assertEquals(Optional.empty(), Numerics.of(Recipe.named("ptq")).activationClip());
  }

  @Test
  void codebooksStartWhereTheRecipeSays() {
    Recipe shared = Recipe.named("kmeans");
    assertEquals(new Weights.Shared(Recipe.CodebookStart.PLUS_PLUS), Numerics.of(shared).weights());
    Recipe evenly = shared.withCodebookStart(Recipe.CodebookStart.LINEAR);
    assertEquals(new Weights.Shared(Recipe.CodebookStart.LINEAR), Numerics.of(evenly).weights());
    assertEquals(evenly, evenly.untrained());
    assertThrows(
        HaqException.class, () -> Recipe.HAQ.withCodebookStart(Recipe.CodebookStart.LINEAR));
  }

  @Test
  void centroidsCannotBeClipped() {
    Recipe clipped = Recipe.named("kmeans").withClips(Optional.of(Clip.MIN_MAX), Optional.empty());
    HaqException refused = assertThrows(HaqException.class, () -> Numerics.of(clipped));
    assertTrue(refused.getMessage().contains("weight_clip"), refused.getMessage());
  }

  @Test
  void whatThereIsNotIsRefusedWithWhatThereIs() {
    for (String id :
        new String[] {"cake", "ptq@3", "haq@2", "ptq@0", "ptq@", "@1", "", "haq@1@1"}) {
      HaqException refused = assertThrows(HaqException.class, () -> Recipe.named(id), id);
      assertTrue(
          refused.getMessage().contains("haq@1, ptq@1, ptq@2, haq-finetune@1, kmeans@1"),
          refused.getMessage());
    }
  }

  @Test
  void onlyTrainedRecipesTakeFineTuning() {
    assertThrows(HaqException.class, () -> Recipe.HAQ.withFineTuning(FineTuning.DEFAULT));
    Recipe tuned = Recipe.named("kmeans").withFineTuning(FineTuning.DEFAULT);
    assertEquals(tuned, RecipeWire.fromProto(RecipeWire.toProto(tuned)));
  }

  @Test
  void whatIsStoredHasAVersion() {
    assertEquals("ptq@2", RecipeWire.toProto(Recipe.named("ptq")).getName());
    Recipe clipped =
        Recipe.named("ptq@1").withClips(Optional.empty(), Optional.of(Clip.PERCENTILE));
    assertEquals(clipped, RecipeWire.fromProto(RecipeWire.toProto(clipped)));
  }
}
