package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.Numerics;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a layer and its bits ask for is found once, so that an episode pays nothing for it. */
final class PolicyFormsTest {
  private static final ImportedModel MODEL = model();

  private static ImportedModel model() {
    SmallModel model = new SmallModel(3, 8, 8);
    String features = model.relu(model.conv("image", 3, 16, 3, 1, 1));
    return model.imported(model.gemm(model.pooled(features), 16, 6));
  }

  private static PolicyForms forms(String recipe) {
    return new PolicyForms(
        MODEL.graph(),
        Numerics.of(Recipe.named(recipe)),
        (tensor, bits) -> LinearQuantizer.unsigned(bits, 1),
        List.of());
  }

  @Test
  void policiesThatShareALayersWeightBitsShareItsQuantizedWeights() {
    PolicyForms forms = forms("haq");
    List<LayerForm> first = forms.of(new Policy(List.of(LayerBits.of(4, 8), LayerBits.of(3, 8))));
    List<LayerForm> second = forms.of(new Policy(List.of(LayerBits.of(4, 5), LayerBits.of(5, 8))));
    assertSame(
        weights(first.get(0)), weights(second.get(0)), "other activation bits are no matter");
    assertNotSame(weights(first.get(1)), weights(second.get(1)), "other weight bits are");
  }

  @Test
  void policiesThatShareALayersWeightBitsShareItsCodebook() {
    PolicyForms forms = forms("kmeans");
    List<LayerForm> first = forms.of(new Policy(List.of(LayerBits.of(4, 8), LayerBits.of(3, 8))));
    List<LayerForm> second = forms.of(new Policy(List.of(LayerBits.of(4, 5), LayerBits.of(5, 8))));
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
