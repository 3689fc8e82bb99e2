package dev.haq.quantizer.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
}
