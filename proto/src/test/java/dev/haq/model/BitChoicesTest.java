package dev.haq.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class BitChoicesTest {
  private final BitChoices choices = new BitChoices(List.of(3, 4, 8, 16));

  @Test
  void aWidthThatIsAllowedIsItsOwnNearest() {
    for (int bits : choices.bits()) {
      assertEquals(BitWidth.of(bits), choices.nearest(BitWidth.of(bits)));
    }
  }

  @Test
  void theNearestOfAWidthThatIsNotAllowedIsTheNextNarrower() {
    assertEquals(BitWidth.of(4), choices.nearest(BitWidth.of(7)));
    assertEquals(BitWidth.of(8), choices.nearest(BitWidth.of(9)));
  }

  @Test
  void theNearestOfAWidthBelowAllIsTheNarrowest() {
    assertEquals(BitWidth.of(3), choices.nearest(BitWidth.of(1)));
  }

  @Test
  void thatFloatIsNoChoiceIsSaidOfItsNumber() {
    HaqException e = assertThrows(HaqException.class, () -> new BitChoices(List.of(8, 16, 32)));
    assertEquals(
        "32 stands for float, which is not a bit-width to choose from: use 1 to 16",
        e.getMessage());
  }
}
