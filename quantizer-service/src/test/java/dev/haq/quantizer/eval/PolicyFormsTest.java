package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.quant.InputMoments;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.Numerics;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a layer and its bits ask for is found once, so that an episode pays nothing for it. */
final class PolicyFormsTest {
  private static final ImportedModel MODEL = model();

  private static ImportedModel model() {
    SmallModel model = new SmallModel(3, 8, 8);
    String features = model.relu(model.conv("image", 3, 16, 3, 1, 1));
    return model.imported(model.gemm(model.pooled(features), 16, 6));
  }

  private static PolicyForms forms(String recipe, InputMoments... moments) {
    return new PolicyForms(
        MODEL.graph(),
        Numerics.of(Recipe.named(recipe)),
        (tensor, bits) -> LinearQuantizer.unsigned(bits, 1),
        List.of(moments));
  }

  @Test
  void whoLeavesDoesNotWaitForTheRoundingOfAllOutputs() {
    PolicyForms forms =
        forms(
            "ptq",
            new InputMoments(1, 27, 9, true, List.of()),
            new InputMoments(1, 16, 1, true, List.of()));
    Policy policy = Policy.uniform(2, new LayerBits(BitWidth.of(4), BitWidth.FLOAT));
    AtomicInteger asked = new AtomicInteger();
    HaqException left =
        assertThrows(
            HaqException.class, () -> forms.of(policy, () -> asked.incrementAndGet() > 12));
    assertEquals(Reason.CANCELLED, left.reason());
    assertEquals(2, forms.of(policy, () -> false).size());
  }

  @Test
  void policiesThatShareALayersWeightBitsShareItsQuantizedWeights() {
    PolicyForms forms = forms("haq");
    List<LayerForm> first =
        forms.of(new Policy(List.of(LayerBits.of(4, 8), LayerBits.of(3, 8))), () -> false);
    List<LayerForm> second =
        forms.of(new Policy(List.of(LayerBits.of(4, 5), LayerBits.of(5, 8))), () -> false);
    assertSame(
        weights(first.get(0)), weights(second.get(0)), "other activation bits are no matter");
    assertNotSame(weights(first.get(1)), weights(second.get(1)), "other weight bits are");
  }

  @Test
  void policiesThatShareALayersWeightBitsShareItsCodebook() {
    PolicyForms forms = forms("kmeans");
    List<LayerForm> first =
        forms.of(new Policy(List.of(LayerBits.of(4, 8), LayerBits.of(3, 8))), () -> false);
    List<LayerForm> second =
        forms.of(new Policy(List.of(LayerBits.of(4, 5), LayerBits.of(5, 8))), () -> false);
    assertSame(weights(first.get(0)), weights(second.get(0)));
    assertNotSame(weights(first.get(1)), weights(second.get(1)));
  }

  /** Where they are kept, not what is made of them. */
  private static Object weights(LayerForm form) {
    return form instanceof LayerForm.Whole whole
        ? whole.layer().weights().codes()
        : ((LayerForm.Real) form).weights();
  }
}
