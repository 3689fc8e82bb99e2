package dev.haq.quantizer.graphs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitWidth;
import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.QuantizedWeights;
import org.junit.jupiter.api.Test;

final class ProcessorTest {
  @Test
  void processorsWithVnniAddExactly() {
    assertEquals(
        Processor.ADDS_EXACTLY_IN_512,
        Processor.ofDescription("flags : fma avx2 avx512f avx512_vnni avx_vnni"));
    assertEquals(Processor.ADDS_EXACTLY, Processor.ofDescription("flags : avx2 avx_vnni"));
  }

  @Test
  void otherX86ProcessorsAddInSixteenBits() {
    assertEquals(
        Processor.ADDS_IN_16_BITS, Processor.ofDescription("flags : fma avx2 avx512f avx512bw"));
  }

  @Test
  void weightsThatSaturateBesideZerosOnlyAreWrittenWithoutASignThere() {
    LinearQuantizer activations = LinearQuantizer.unsigned(BitWidth.of(8), 1);
    QuantizedWeights weights = new QuantizedWeights(new byte[45], new float[] {1}, 128, 190);
    IntegerLayer layer = IntegerLayer.of(activations, weights, new float[1]);
    ByteCodes sixteen = ByteCodes.of(Processor.ADDS_IN_16_BITS);
    assertTrue(sixteen.signedWeights(layer));
    assertFalse(sixteen.signedPaddedWeights(layer));
    assertTrue(ByteCodes.of(Processor.ADDS_EXACTLY).signedPaddedWeights(layer));
  }
}
