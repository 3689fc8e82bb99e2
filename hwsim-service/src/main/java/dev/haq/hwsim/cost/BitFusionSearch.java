package dev.haq.hwsim.cost;

import static dev.haq.hwsim.cost.BismoSplit.ceilDiv;
import static dev.haq.hwsim.cost.LoopOrders.BATCH;
import static dev.haq.hwsim.cost.LoopOrders.INPUTS;
import static dev.haq.hwsim.cost.LoopOrders.LOOPS;
import static dev.haq.hwsim.cost.LoopOrders.OUTPUTS;
import static dev.haq.hwsim.cost.LoopOrders.OUTPUT_HEIGHT;
import static dev.haq.hwsim.cost.LoopOrders.OUTPUT_WIDTH;

import java.util.Optional;

/**
 * The fastest tiling and loop order of a convolution on a spatial array of fusion units (the public
 * simulator of BitFusion, Sharma et al., ISCA 2018).
 *
 * <p>The public simulator tries all 120 orders of every tiling. Here orders that must give the same
 * are tried once ({@link LoopOrders}), and a tiling is passed over when even its bounds from below,
 * computing without waiting and memory without ever fetching twice, exceed what has been found.
 * Neither changes the result: fewest cycles, then least energy.
 */
final class BitFusionSearch {
  private final BitFusionParameters array;
  private final BitFusionWork work;
  private final int weightBits;
  private final int activationBits;

  /** Input channels in flight: N times what the fusion units split into. */
  private final long lanes;

  private BitFusionCounters best;
  private double bestPicojoules;

  // One tile.
  private final long[] count = new long[LOOPS];
  private long tileBatch;
  private long tileHeight;
  private long tileWidth;
  private long tileInputs;
  private long tileOutputs;
  private long tiles;
  private long computeCycles;

  /** Bits of a tile of the weights, the activations, the outputs. */
  private final long[] tileBits = new long[3];

  private static final int WEIGHTS = 0;
  private static final int ACTIVATIONS = 1;
  private static final int RESULTS = 2;

  /** Whether a tensor's tile changes with a loop: [tensor][loop]. */
  private static final boolean[][] DEPENDS = {
    {false, false, false, true, true},
    {true, true, true, true, false},
    {true, true, true, false, true}
  };

  private final long[] halfBufferBits;

  private BitFusionSearch(
      BitFusionParameters array, BitFusionWork work, int weightBits, int activationBits) {
    this.array = array;
    this.work = work;
    this.weightBits = weightBits;
    this.activationBits = activationBits;
    this.lanes = array.rows() * split(array, weightBits) * split(array, activationBits);
    this.halfBufferBits =
        new long[] {
          array.weightBufferBytes() * 4L,
          array.activationBufferBytes() * 4L,
          array.outputBufferBytes() * 4L
        };
  }

  /** Values of {@code bits} that one fusion unit takes side by side. */
  static long split(BitFusionParameters array, int bits) {
    return array.widestBits() / Math.max(bits, array.narrowestBits());
  }

  /** Empty when not even the smallest tile fits the buffers. */
  static Optional<BitFusionCounters> run(
      BitFusionParameters array, BitFusionWork work, int weightBits, int activationBits) {
    return Optional.ofNullable(
        new BitFusionSearch(array, work, weightBits, activationBits).search());
  }

  private BitFusionCounters search() {
    int maps = steps(Math.max(work.outputHeight(), work.outputWidth()));
    int outputs = steps(work.im2col() ? work.outputs() : ceilDiv(work.outputs(), array.columns()));
    // Large tiles first: the sooner a good one is found, the more are passed over.
    for (int b = steps(work.batch()); b >= 0; b--) {
      tileBatch = Math.min(1L << b, work.batch());
      for (int o = maps; o >= 0; o--) {
        tileHeight = Math.min(1L << o, work.outputHeight());
        tileWidth = Math.min(1L << o, work.outputWidth());
        for (int ic = steps(work.inputs()); ic >= 0; ic--) {
          tileInputs = Math.min(1L << ic, work.inputs());
          for (int oc = outputs; oc >= 0; oc--) {
            long wanted = work.im2col() ? 1L << oc : (1L << oc) * array.columns();
            tileOutputs = Math.min(wanted, work.outputs());
            if (fits()) {
              tryOrders();
            }
          }
        }
      }
    }
    return best;
  }

  /** Doublings until {@code size} is covered: ceil(log2(size)). */
  private static int steps(long size) {
    return 64 - Long.numberOfLeadingZeros(size - 1);
  }

  private boolean fits() {
    long depth = work.kernelArea() * tileInputs;
    long pixels = tileHeight * tileWidth;
    tileBits[WEIGHTS] = ceilDiv(depth, lanes) * lanes * tileOutputs * weightBits;
    long inputPixels =
        (work.spanHeight() + (tileHeight - 1) * work.strideHeight())
            * (work.spanWidth() + (tileWidth - 1) * work.strideWidth());
    tileBits[ACTIVATIONS] =
        (work.im2col() ? pixels * depth : inputPixels * tileInputs) * tileBatch * activationBits;
    tileBits[RESULTS] =
        pixels
            * ceilDiv(tileOutputs, array.columns())
            * array.columns()
            * tileBatch
            * array.outputBits();
    for (int tensor = 0; tensor < tileBits.length; tensor++) {
      if (tileBits[tensor] > halfBufferBits[tensor]) {
        return false;
      }
    }
    return true;
  }

  private void tryOrders() {
    count[BATCH] = ceilDiv(work.batch(), tileBatch);
    count[OUTPUT_WIDTH] = ceilDiv(work.outputWidth(), tileWidth);
    count[OUTPUT_HEIGHT] = ceilDiv(work.outputHeight(), tileHeight);
    count[INPUTS] = ceilDiv(work.inputs(), tileInputs);
    count[OUTPUTS] = ceilDiv(work.outputs(), tileOutputs);
    tiles = 1;
    int repeating = 0;
    for (int loop = 0; loop < LOOPS; loop++) {
      tiles *= count[loop];
      repeating |= count[loop] > 1 ? 1 << loop : 0;
    }
    long depth =
        work.im2col()
            ? ceilDiv(work.kernelArea() * tileInputs, lanes)
            : work.kernelArea() * ceilDiv(tileInputs, lanes);
    computeCycles =
        tiles
            * (tileBatch * tileHeight * tileWidth * ceilDiv(tileOutputs, array.columns()) * depth);
    if (best != null && atLeast() > best.cycles()) {
      return;
    }
    boolean square = count[OUTPUT_WIDTH] == count[OUTPUT_HEIGHT];
    for (int[] order : LoopOrders.of(repeating, square)) {
      walk(order);
    }
  }

  /** Cycles that no order can undercut. */
  private long atLeast() {
    long maps = count[BATCH] * count[OUTPUT_WIDTH] * count[OUTPUT_HEIGHT];
    long once =
        tileBits[WEIGHTS] * count[INPUTS] * count[OUTPUTS]
            + tileBits[ACTIVATIONS] * maps * count[INPUTS]
            + 2 * tileBits[RESULTS] * maps * count[OUTPUTS];
    long firstTile =
        dramCycles(tileBits[WEIGHTS] + tileBits[ACTIVATIONS] + tileBits[RESULTS])
            + dramCycles(tileBits[RESULTS]);
    return Math.max(computeCycles + firstTile, dramCycles(once));
  }

  /** Traffic and time of one order, loops from inner to outer. */
  private void walk(int[] order) {
    long weights = 0;
    long activations = 0;
    long results = 0;
    long reads = 0;
    long writes = 0;
    for (int tensor = 0; tensor < tileBits.length; tensor++) {
      long bits = tileBits[tensor];
      long held = bits; // the most of it that stays in its buffer
      boolean promotable = true;
      for (int loop : order) {
        if (promotable && DEPENDS[tensor][loop]) {
          bits *= count[loop];
          promotable = bits <= halfBufferBits[tensor];
          held = promotable ? bits : held;
        } else if (!promotable) {
          bits *= count[loop];
        }
      }
      reads += held;
      if (tensor == WEIGHTS) {
        weights = bits;
      } else if (tensor == ACTIVATIONS) {
        activations = bits;
      } else {
        results = bits;
        writes = held;
      }
    }
    // Outputs are read, added to, and written.
    long dram = weights + activations + 2 * results;
    long latency = dramCycles(reads) + dramCycles(writes);
    long stall = Math.max(0, dramCycles(dram - reads - writes) - computeCycles) + latency;
    long cycles = computeCycles + stall;
    if (best != null && cycles > best.cycles()) {
      return;
    }
    BitFusionCounters found = counters(cycles, weights, activations, results);
    double picojoules = found.picojoules(array.energy());
    if (best == null || cycles < best.cycles() || picojoules < bestPicojoules) {
      best = found;
      bestPicojoules = picojoules;
    }
  }

  private long dramCycles(long bits) {
    return ceilDiv(bits, array.dramBitsPerCycle());
  }

  /** Adds the buffers' traffic, by the dataflow that moves the fewest bits. */
  private BitFusionCounters counters(long cycles, long weights, long activations, long results) {
    long w = weightBits;
    long a = activationBits;
    long r = array.outputBits();
    // Padded to whole rows and columns: for choosing only.
    long columns = ceilDiv(tileOutputs, array.columns()) * array.columns();
    long depth =
        work.im2col()
            ? ceilDiv(tileInputs * work.kernelArea(), lanes) * lanes
            : ceilDiv(tileInputs, lanes) * lanes * work.kernelArea();
    long pixels = tileBatch * tileHeight * tileWidth;
    long inputStationary = depth * pixels * (a + columns * (w + r));
    long outputStationary = columns * pixels * (r + depth * (a + w));
    long weightStationary = depth * columns * (w + pixels * (a + r));
    long least = Math.min(inputStationary, Math.min(outputStationary, weightStationary));

    long kk = work.kernelArea() * tileInputs;
    long oc = tileOutputs;
    long activationReads;
    long outputAccesses;
    long weightReads;
    if (inputStationary == least) {
      activationReads = kk * pixels * a;
      outputAccesses = kk * pixels * oc * r;
      weightReads = kk * pixels * oc * w;
    } else if (outputStationary == least) {
      activationReads = oc * pixels * kk * a;
      outputAccesses = oc * pixels * r;
      weightReads = oc * pixels * kk * w;
    } else {
      activationReads = kk * oc * pixels * a;
      outputAccesses = kk * oc * pixels * r;
      weightReads = kk * oc * w;
    }
    return new BitFusionCounters(
        cycles,
        computeCycles,
        tiles * activationReads,
        activations,
        tiles * weightReads,
        weights,
        tiles * outputAccesses + results,
        tiles * outputAccesses + results,
        weights + activations + results,
        results);
  }
}
