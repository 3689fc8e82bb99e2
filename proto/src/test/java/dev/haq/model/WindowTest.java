package dev.haq.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class WindowTest {
  @Test
  void aKernelWhoseAreaNoIntHoldsIsRefused() {
    HaqException failure = assertThrows(HaqException.class, () -> Window.square(65_537, 1, 0));
    assertEquals(Reason.INVALID_ARGUMENT, failure.reason());
    assertTrue(failure.getMessage().contains("kernel 65537x65537"), failure.getMessage());
    assertEquals(46_340 * 46_340, Window.square(46_340, 1, 0).kernelArea());
  }
}
