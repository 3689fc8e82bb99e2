package dev.haq.hwsim.cost;

import java.util.ArrayList;
import java.util.List;

/**
 * The orders in which the five tile loops can be nested, without those that must give the same.
 *
 * <p>A loop of one repetition changes nothing wherever it stands, and the two loops over the output
 * map are interchangeable when they have the same count; what is left of the 120 orders is often
 * only three or twelve.
 */
final class LoopOrders {
  static final int BATCH = 0;
  static final int OUTPUT_WIDTH = 1;
  static final int OUTPUT_HEIGHT = 2;
  static final int INPUTS = 3;
  static final int OUTPUTS = 4;
  static final int LOOPS = 5;

  /** By set of loops that repeat; [order][loops from inner to outer]. */
  private static final int[][][] ALL = new int[1 << LOOPS][][];

  /** The same, with the loop over the output's width always inside the one over its height. */
  private static final int[][][] SQUARE = new int[1 << LOOPS][][];

  static {
    for (int loops = 0; loops < ALL.length; loops++) {
      List<int[]> orders = new ArrayList<>();
      extend(loops, new int[Integer.bitCount(loops)], 0, orders);
      ALL[loops] = orders.toArray(int[][]::new);
      SQUARE[loops] = orders.stream().filter(LoopOrders::widthInside).toArray(int[][]::new);
    }
  }

  private LoopOrders() {}

  /**
   * @param loops bit i is set when loop i repeats
   * @param square both loops over the output map have the same count
   */
  static int[][] of(int loops, boolean square) {
    return square ? SQUARE[loops] : ALL[loops];
  }

  private static void extend(int left, int[] order, int length, List<int[]> orders) {
    if (left == 0) {
      orders.add(order.clone());
      return;
    }
    for (int loop = 0; loop < LOOPS; loop++) {
      if ((left >> loop & 1) == 1) {
        order[length] = loop;
        extend(left & ~(1 << loop), order, length + 1, orders);
      }
    }
  }

  private static boolean widthInside(int[] order) {
    for (int loop : order) {
      if (loop == OUTPUT_WIDTH || loop == OUTPUT_HEIGHT) {
        return loop == OUTPUT_WIDTH || !contains(order, OUTPUT_WIDTH);
      }
    }
    return true;
  }

  private static boolean contains(int[] order, int wanted) {
    for (int loop : order) {
      if (loop == wanted) {
        return true;
      }
    }
    return false;
  }
}
