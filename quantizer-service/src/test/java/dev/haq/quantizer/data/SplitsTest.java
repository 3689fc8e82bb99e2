package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.DataSelection;
import dev.haq.model.DataSelection.Split;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class SplitsTest {
  @Test
  void searchAndHeldOutShareNoImageAndLeaveNoneOut() {
    Set<Integer> all = set(Splits.of(1000, selection(Split.SEARCH, 0, 7, 0.3)));
    assertEquals(700, all.size());
    all.addAll(set(Splits.of(1000, selection(Split.HELD_OUT, 0, 7, 0.3))));
    assertEquals(1000, all.size());
    assertEquals(set(Splits.of(1000, selection(Split.ALL, 0, 7, 0.3))), all);
  }

  @Test
  void calibrationReadsImagesOfTheSearchPart() {
    int[] calibration = Splits.of(1000, selection(Split.CALIBRATION, 0, 7, 0.3));
    assertEquals(64, calibration.length);
    assertTrue(
        set(Splits.of(1000, selection(Split.SEARCH, 0, 7, 0.3))).containsAll(set(calibration)));
  }

  @Test
  void aSmallSetIsCalibratedOnWhatThereIs() {
    assertEquals(5, Splits.of(10, selection(Split.CALIBRATION, 0, 7, 0.5)).length);
  }

  @Test
  void fewerImagesAreTheFrontOfMore() {
    int[] twenty = Splits.of(1000, selection(Split.HELD_OUT, 20, 7, 0.5));
    int[] fifty = Splits.of(1000, selection(Split.HELD_OUT, 50, 7, 0.5));
    assertArrayEquals(twenty, Arrays.copyOf(fifty, 20));
  }

  @Test
  void theSeedAloneDecidesTheOrder() {
    int[] order = Splits.of(1000, selection(Split.ALL, 0, 7, 0.5));
    assertArrayEquals(order, Splits.of(1000, selection(Split.ALL, 0, 7, 0.5)));
    assertFalse(Arrays.equals(order, Splits.of(1000, selection(Split.ALL, 0, 8, 0.5))));
    // Held fast: a change would move every recorded result.
    assertArrayEquals(
        new int[] {7, 6, 4, 1, 5, 3, 0, 8, 9, 2}, Splits.of(10, selection(Split.ALL, 0, 1, 0.5)));
  }

  @Test
  void anEmptyHeldOutPartIsRefused() {
    HaqException error =
        assertThrows(HaqException.class, () -> Splits.of(1, selection(Split.HELD_OUT, 0, 7, 0.5)));
    assertEquals(Reason.INVALID_DATASET, error.reason());
  }

  private static DataSelection selection(Split split, int images, long seed, double heldOut) {
    return new DataSelection("sha256:0", Optional.empty(), split, images, 64, seed, heldOut);
  }

  private static Set<Integer> set(int[] indices) {
    Set<Integer> set = new HashSet<>();
    for (int index : indices) {
      assertTrue(set.add(index), () -> index + " occurs twice");
    }
    return set;
  }
}
