package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.model.Layer;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LayerInputsTest {
  @Test
  void fewerImagesAreHeldAtOnceWhereTheyAreLarge() {
    assertEquals(4, LayerInputs.imagesAtOnce(layers(1, 1000)));
    assertEquals(4, LayerInputs.imagesAtOnce(layers(16, 1 << 20))); // 64 MiB an image
    assertEquals(2, LayerInputs.imagesAtOnce(layers(24, 1 << 20)));
    assertEquals(1, LayerInputs.imagesAtOnce(layers(400, 1 << 20)));
  }

  private static List<Layer> layers(int count, int inputs) {
    return Collections.nCopies(count, new Layer.Linear("layer", inputs, 10, 1, 0));
  }
}
