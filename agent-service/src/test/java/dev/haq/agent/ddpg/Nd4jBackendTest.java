package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class Nd4jBackendTest {
  @Test
  void theLibraryFitsTheProcessor() {
    assertEquals("-onednn-avx512", Nd4jBackend.extension("flags : fma avx2 avx512f avx512bw"));
    assertEquals("-onednn-avx2", Nd4jBackend.extension("flags : fma avx avx2"));
    assertEquals("", Nd4jBackend.extension("flags : sse4_2"));
    assertEquals("", Nd4jBackend.extension(""));
  }
}
