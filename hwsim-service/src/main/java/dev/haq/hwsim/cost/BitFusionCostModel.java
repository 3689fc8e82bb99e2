package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Bound;
import dev.haq.model.EnergySplit;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Resource;
import dev.haq.model.Traffic;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A layer on a spatial array of fusion units (BitFusion, Sharma et al., ISCA 2018; HW1 of the HAQ
 * paper): latency and energy of the fastest tiling.
 *
 * <p>Departures from the public simulator, each a switch: depthwise convolutions may be computed as
 * dense ones, and widths between half of a fusion unit and a whole one may be interpolated. What it
 * does not know is marked extrapolated: windows that are not square, dilation, fully connected
 * layers of more than one row an image.
 */
public final class BitFusionCostModel extends ClockedCostModel {
  /** Most operations of a layer, a batch: beyond it counters overflow. */
  private static final double MAX_BATCH_MACS = 1e14;

  /** Most search results that are kept; more are searched again. */
  private static final int MAX_KEPT = 50_000;

  private final BitFusionParameters array;
  private final Map<Point, BitFusionCounters> kept = new ConcurrentHashMap<>();

  /** One search. */
  private record Point(BitFusionWork work, int weightBits, int activationBits) {}

  /**
   * @param clockHz above 0
   * @param batch images in a batch, at least 1
   */
  public BitFusionCostModel(
      String name,
      BitFusionParameters array,
      double clockHz,
      int batch,
      BitChoices weightBits,
      BitChoices activationBits) {
    super(name, clockHz, batch, weightBits, activationBits);
    if (Math.max(weightBits.max(), activationBits.max()) > array.widestBits()) {
      throw HaqException.invalid(
          "target %s: weight_bits %s and activation_bits %s must not exceed widest_bits %d",
          name, weightBits, activationBits, array.widestBits());
    }
    this.array = array;
  }

  @Override
  public Set<Resource> resources() {
    return Set.of(Resource.LATENCY, Resource.ENERGY);
  }

  @Override
  public String missing(Resource resource) {
    return "it models latency and energy";
  }

  @Override
  public void check(Network network) {
    ModelSize.check(network);
    for (int i = 0; i < network.size(); i++) {
      checkBatchMacs(network.layer(i), geometry(network, i).most(), MAX_BATCH_MACS);
    }
  }

  @Override
  public BitFusionWork geometry(Network network, int layer) {
    return BitFusionWork.of(
        network.layer(layer),
        layer == 0,
        batch(),
        array.depthwise() == BitFusionParameters.Depthwise.DENSE);
  }

  @Override
  public RunCost run(Network network, int layer, BitWidth weights, BitWidth activations) {
    BitFusionWork work = geometry(network, layer);
    Axis w = axis(weights.bits());
    Axis a = axis(activations.bits());
    String name = network.layer(layer).name();
    // [corner]: bilinear weights of the four searches; a corner without weight is not searched.
    double[] share = {
      (1 - w.position) * (1 - a.position),
      (1 - w.position) * a.position,
      w.position * (1 - a.position),
      w.position * a.position
    };
    double cycles = 0;
    double compute = 0;
    double[] bits = new double[4]; // activations, weights, outputs, buffers
    double[] picojoules = new double[3]; // core, buffers, memory
    for (int corner = 0; corner < share.length; corner++) {
      if (share[corner] == 0) {
        continue;
      }
      BitFusionCounters found =
          search(name, work, corner < 2 ? w.low : w.high, corner % 2 == 0 ? a.low : a.high);
      double times = share[corner] * work.repeats();
      cycles += times * found.cycles();
      compute += times * found.computeCycles();
      bits[0] += times * found.activationWriteBits();
      bits[1] += times * found.weightWriteBits();
      bits[2] += times * 2 * found.dramWriteBits();
      bits[3] += times * found.bufferBits();
      picojoules[0] += times * found.corePicojoules(array.energy());
      picojoules[1] += times * found.bufferPicojoules(array.energy());
      picojoules[2] += times * found.dramPicojoules(array.energy());
    }
    EnergySplit energy =
        new EnergySplit(
            picojoules[0] * JOULES_PER_PJ,
            picojoules[1] * JOULES_PER_PJ,
            picojoules[2] * JOULES_PER_PJ,
            0);
    double peak = peak(w, a); // MAC a cycle
    double memory = (bits[0] + bits[1] + bits[2]) / array.dramBitsPerCycle(); // cycles
    return new RunCost(
        cycles,
        cycles / clockHz,
        OptionalDouble.of(energy.totalJoules()),
        memory > compute ? Bound.DRAM : Bound.COMPUTE,
        OptionalDouble.of(Math.min(1, work.macs() / (cycles * peak))),
        Optional.of(energy),
        Optional.of(
            new Traffic(bits[0] / 8, bits[1] / 8, bits[2] / 8, OptionalDouble.of(bits[3] / 8))),
        Optional.of(new Speed(peak * clockHz, Math.min(peak, work.macs() / memory) * clockHz)),
        work.extrapolated());
  }

  /**
   * Where a width lies between the two that are searched.
   *
   * @param position 0 at {@code low}, 1 at {@code high}
   */
  private record Axis(int low, int high, double position) {}

  private Axis axis(int bits) {
    int whole = array.widestBits();
    int half = whole / 2;
    boolean between = bits > half && bits < whole;
    if (!between || array.oddBits() == BitFusionParameters.OddBits.ROUND_UP) {
      return new Axis(bits, bits, 0);
    }
    return new Axis(half, whole, (bits - half) / (double) (whole - half));
  }

  /** Operations a cycle at the best of times, harmonic between widths as time is. */
  private double peak(Axis w, Axis a) {
    double unit = (double) array.rows() * array.columns();
    double weights =
        (1 - w.position) / BitFusionSearch.split(array, w.low)
            + w.position / BitFusionSearch.split(array, w.high);
    double activations =
        (1 - a.position) / BitFusionSearch.split(array, a.low)
            + a.position / BitFusionSearch.split(array, a.high);
    return unit / (weights * activations);
  }

  private BitFusionCounters search(String layer, BitFusionWork work, int weights, int activations) {
    if (kept.size() > MAX_KEPT) {
      kept.clear();
    }
    return kept.computeIfAbsent(
        new Point(work, weights, activations),
        point ->
            BitFusionSearch.run(array, work, weights, activations)
                .orElseThrow(
                    () ->
                        HaqException.invalid(
                            "layer %s at W%dA%d: not even one output fits the buffers of target %s (weights %d, activations %d, outputs %d bytes): give larger buffers",
                            layer,
                            weights,
                            activations,
                            name(),
                            array.weightBufferBytes(),
                            array.activationBufferBytes(),
                            array.outputBufferBytes())));
  }
}
