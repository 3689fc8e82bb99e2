package dev.haq.quantizer.data;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.CounterRandom;
import java.util.Arrays;
import java.util.Locale;

/**
 * Divides a dataset that has no parts of its own: a seeded permutation of all images (the same on
 * every machine and Java version), its front the search part, its back the held-out part.
 * Calibration reads the first images of the search part; a smaller selection is the front of a
 * larger one.
 */
final class Splits {
  private Splits() {}

  /**
   * @param size images of the dataset, at least 1
   * @return indices 0..size-1, without repetition, in the order of the permutation
   * @throws HaqException INVALID_DATASET when the asked split is empty
   */
  static int[] of(int size, DataSelection selection) {
    int[] order = new CounterRandom(selection.splitSeed(), size).permutation(size);
    int search = size - selection.heldOutImages(size);
    int[] split =
        switch (selection.split()) {
          case ALL -> order;
          case SEARCH -> Arrays.copyOf(order, search);
          case CALIBRATION -> Arrays.copyOf(order, Math.min(search, selection.calibrationImages()));
          case HELD_OUT -> Arrays.copyOfRange(order, search, size);
        };
    if (split.length == 0) {
      throw new HaqException(
          Reason.INVALID_DATASET,
          String.format(
              Locale.ROOT,
              "a dataset of %d images has none left for the held-out split at fraction %s: give more"
                  + " images or a larger fraction",
              size,
              selection.heldOutFraction()));
    }
    return first(split, selection.maxImages());
  }

  /** The first {@code count} of the indices; all when the count is 0 or larger. */
  static int[] first(int[] indices, int count) {
    return count == 0 || count >= indices.length ? indices : Arrays.copyOf(indices, count);
  }
}
