package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.hwsim.SharedData;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BismoKernelTest {
  private static final int CLOUD_BUFFER = 16384;

  /** Own golden set: products of the published table, checked against it once. */
  private static final long[][] GOLDEN = {
    // rows, columns, words, weight bits, activation bits, cycles p n k w a, cycles n p k a w
    {12544, 32, 1, 1, 1, 12545, 13328},
    {12544, 32, 1, 1, 2, 25092, 26656},
    {12544, 32, 1, 1, 3, 37641, 39984},
  };

  @Test
  void theOwnGoldenProductsAreMet() {
    BismoKernel kernel = new BismoKernel(16, CLOUD_BUFFER, CLOUD_BUFFER, 1, 1);
    for (long[] row : GOLDEN) {
      BismoCycles cycles =
          kernel.run(new BismoProduct(row[0], row[1], row[2], (int) row[3], (int) row[4]));
      assertEquals(row[5], cycles.rowsOuter());
      assertEquals(row[6], cycles.columnsOuter());
    }
  }

  @Test
  void everyGoldenProductIsMetInBothLoopOrders() {
    BismoKernel kernel = new BismoKernel(16, CLOUD_BUFFER, CLOUD_BUFFER, 1, 1);
    int checked = 0;
    for (Map<String, String> row : SharedData.csv("hwsim/bismo_kernel_vectors.csv")) {
      BismoProduct product =
          new BismoProduct(
              number(row, "rows_P"),
              number(row, "cols_N"),
              number(row, "k_words_KT"),
              (int) number(row, "w_bits"),
              (int) number(row, "a_bits"));
      BismoCycles cycles = kernel.run(product);
      assertEquals(number(row, "cycles_order_pnkwa"), cycles.rowsOuter(), product::toString);
      assertEquals(number(row, "cycles_order_npkaw"), cycles.columnsOuter(), product::toString);
      assertEquals(number(row, "cycles_min"), cycles.cycles(), product::toString);
      checked++;
    }
    assertEquals(1472, checked);
  }

  @Test
  void theKernelGivesTheCyclesOfThePlainWalk() {
    Random random = new Random(11);
    for (int i = 0; i < 4000; i++) {
      int tile = 1 + random.nextInt(6);
      int activationBuffer = 1 + random.nextInt(200);
      int weightBuffer = 1 + random.nextInt(200);
      int activationCycles = 1 + random.nextInt(5);
      int weightCycles = 1 + random.nextInt(9);
      BismoProduct product =
          new BismoProduct(
              1 + random.nextInt(40),
              1 + random.nextInt(40),
              1 + random.nextInt(6),
              1 + random.nextInt(8),
              1 + random.nextInt(8));
      String where =
          "%s tile %d buffers %d %d ports %d %d"
              .formatted(
                  product, tile, activationBuffer, weightBuffer, activationCycles, weightCycles);
      BismoCycles fast =
          new BismoKernel(tile, activationBuffer, weightBuffer, activationCycles, weightCycles)
              .run(product);
      BismoStepWalk walk =
          new BismoStepWalk(tile, activationBuffer, weightBuffer, activationCycles, weightCycles);
      assertEquals(walk.rowsOuter(product), fast.rowsOuter(), where);
      assertEquals(walk.columnsOuter(product), fast.columnsOuter(), where);
    }
  }

  @Test
  void theKernelGivesTheCyclesOfThePlainWalkOnTheEdgeArray() {
    Random random = new Random(12);
    for (int i = 0; i < 300; i++) {
      BismoProduct product =
          new BismoProduct(
              1 + random.nextInt(400),
              1 + random.nextInt(200),
              1 + random.nextInt(5),
              1 + random.nextInt(8),
              1 + random.nextInt(8));
      BismoCycles fast = new BismoKernel(8, 2048, 2048, 2, 8).run(product);
      BismoStepWalk walk = new BismoStepWalk(8, 2048, 2048, 2, 8);
      assertEquals(walk.rowsOuter(product), fast.rowsOuter(), product::toString);
      assertEquals(walk.columnsOuter(product), fast.columnsOuter(), product::toString);
    }
  }

  private static long number(Map<String, String> row, String column) {
    return Long.parseLong(row.get(column));
  }
}
