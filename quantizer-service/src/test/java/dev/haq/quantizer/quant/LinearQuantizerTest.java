package dev.haq.quantizer.quant;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import org.junit.jupiter.api.Test;

final class LinearQuantizerTest {
  @Test
  void signedValuesHaveASymmetricGrid() {
    LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(4), 7);
    assertEquals(1, quantizer.scale());
    assertEquals(-7, quantizer.code(-100));
    assertEquals(7, quantizer.code(100));
    assertEquals(3, quantizer.code(3.4f));
  }

  @Test
  void valuesThatAreNeverNegativeUseEveryCode() {
    LinearQuantizer quantizer = LinearQuantizer.unsigned(BitWidth.of(4), 7.5);
    assertEquals(0.5f, quantizer.scale());
    assertEquals(0, quantizer.code(-3));
    assertEquals(15, quantizer.code(100));
  }

  @Test
  void halvesRoundToEven() {
    LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(4), 7);
    assertEquals(2, quantizer.code(2.5f));
    assertEquals(4, quantizer.code(3.5f));
  }

  @Test
  void atMostHalfAStepIsLostWithinTheClip() {
    LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(5), 1);
    for (float x = -1; x <= 1; x += 0.001f) {
      assertEquals(x, quantizer.quantize(x), quantizer.scale() / 2 + 1e-6f);
    }
  }

  @Test
  void widthsWithoutByteCodesAreRefused() {
    for (BitWidth bits : new BitWidth[] {BitWidth.of(1), BitWidth.of(9), BitWidth.FLOAT}) {
      HaqException refusal =
          assertThrows(HaqException.class, () -> LinearQuantizer.symmetric(bits, 1));
      assertEquals(Reason.INVALID_BITS, refusal.reason());
    }
  }
}
