package dev.haq.hwsim.cost;

import static dev.haq.hwsim.cost.BismoSplit.ceilDiv;

/**
 * The bit-serial product of BISMO (Umuroglu et al., FPL 2018), walked step by step. It judges
 * {@link BismoKernel}, which must give the same cycles.
 */
final class BismoStepWalk {
  private final int tile;
  private final long activationBufferWords;
  private final long weightBufferWords;
  private final int activationWordCycles;
  private final int weightWordCycles;

  BismoStepWalk(
      int tile,
      long activationBufferWords,
      long weightBufferWords,
      int activationWordCycles,
      int weightWordCycles) {
    this.tile = tile;
    this.activationBufferWords = activationBufferWords;
    this.weightBufferWords = weightBufferWords;
    this.activationWordCycles = activationWordCycles;
    this.weightWordCycles = weightWordCycles;
  }

  /** Cycles with row tiles outermost: p, n, k, w, a. */
  long rowsOuter(BismoProduct product) {
    return overGroups(product, true);
  }

  /** Cycles with column tiles outermost: n, p, k, a, w. */
  long columnsOuter(BismoProduct product) {
    return overGroups(product, false);
  }

  private long overGroups(BismoProduct product, boolean rowsOuter) {
    BismoSplit rows =
        BismoSplit.of(
            product.rows(), product.words(), product.activationBits(), tile, activationBufferWords);
    BismoSplit columns =
        BismoSplit.of(
            product.columns(), product.words(), product.weightBits(), tile, weightBufferWords);
    long cycles = 0;
    for (long i = 0; i < rows.groups(); i++) {
      for (long j = 0; j < columns.groups(); j++) {
        BismoProduct group =
            new BismoProduct(
                vectors(rows, i),
                vectors(columns, j),
                product.words(),
                product.weightBits(),
                product.activationBits());
        cycles += new Group(group).walk(rowsOuter);
      }
    }
    return cycles;
  }

  private static long vectors(BismoSplit split, long group) {
    return group < split.groups() - 1 ? split.groupVectors() : split.lastVectors();
  }

  /** One group's clock and ports; it starts at 0 and loads both operands. */
  private final class Group {
    private final BismoProduct group;
    private long activationPort;
    private long weightPort;
    private long now;

    Group(BismoProduct group) {
      this.group = group;
    }

    long walk(boolean rowsOuter) {
      long rowTiles = ceilDiv(group.rows(), tile);
      long columnTiles = ceilDiv(group.columns(), tile);
      if (rowsOuter) {
        for (long p = 0; p < rowTiles; p++) {
          for (long n = 0; n < columnTiles; n++) {
            for (long k = 0; k < group.words(); k++) {
              for (int w = 0; w < group.weightBits(); w++) {
                for (int a = 0; a < group.activationBits(); a++) {
                  step(p, n, n == 0 && w == 0, p == 0 && a == 0);
                }
              }
            }
          }
        }
      } else {
        for (long n = 0; n < columnTiles; n++) {
          for (long p = 0; p < rowTiles; p++) {
            for (long k = 0; k < group.words(); k++) {
              for (int a = 0; a < group.activationBits(); a++) {
                for (int w = 0; w < group.weightBits(); w++) {
                  step(p, n, n == 0 && w == 0, p == 0 && a == 0);
                }
              }
            }
          }
        }
      }
      return now;
    }

    private void step(long p, long n, boolean firstUseOfActivations, boolean firstUseOfWeights) {
      long ready = 0;
      if (firstUseOfActivations) {
        activationPort += Math.min(tile, group.rows() - p * tile) * activationWordCycles;
        ready = activationPort - 1;
      }
      if (firstUseOfWeights) {
        weightPort += Math.min(tile, group.columns() - n * tile) * weightWordCycles;
        ready = Math.max(ready, weightPort - 1);
      }
      now = Math.max(now, ready) + 1;
    }
  }
}
