package dev.haq.agent.ddpg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DdpgSettingsTest {
  @Test
  void theNoiseOfTheReferenceCodesSearchFallsAsThere() {
    assertEquals(0.99, DdpgSettings.noiseDecay(600, 20), 1e-12);
    assertEquals(0.99, DdpgSettings.noiseDecay(2000, 20), 1e-12);
  }

  @Test
  void theNoiseOfAShorterSearchFallsAsFar() {
    double left = Math.pow(DdpgSettings.noiseDecay(120, 20), 100);

    assertEquals(Math.pow(0.99, 580), left, 1e-12);
  }

  @Test
  void theNoiseOfAVeryShortSearchDoesNotCollapse() {
    assertEquals(DdpgSettings.noiseDecay(70, 20), DdpgSettings.noiseDecay(21, 20));
    assertTrue(DdpgSettings.noiseDecay(21, 20) > 0.88);
  }
}
