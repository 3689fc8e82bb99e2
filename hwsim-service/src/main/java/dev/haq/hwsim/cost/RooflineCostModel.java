package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Bound;
import dev.haq.model.EnergySplit;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Resource;
import dev.haq.model.Traffic;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * A layer under a roofline (Williams et al., CACM 2009): the slower of computing and each port
 * decides, or their sum.
 *
 * <p>Every result is marked extrapolated: it is a bound, and no published figure checks it. With
 * {@code bismo-cloud}'s figures it misses cells of the published table by up to 40 %.
 */
public final class RooflineCostModel extends ClockedCostModel {
  /** Most operations of a layer, a batch. */
  private static final double MAX_BATCH_MACS = 1e18;

  private static final double WATTS_PER_MW = 1e-3;

  private final RooflineParameters machine;

  /**
   * @param clockHz above 0
   * @param batch images in a batch, at least 1
   * @throws HaqException INVALID_ARGUMENT when some allowed pair of widths has no rate, or padded
   *     words would not hold a value of the widest
   */
  public RooflineCostModel(
      String name,
      RooflineParameters machine,
      double clockHz,
      int batch,
      BitChoices weightBits,
      BitChoices activationBits) {
    super(name, clockHz, batch, weightBits, activationBits);
    for (int w : weightBits.bits()) {
      for (int a : activationBits.bits()) {
        if (machine.macsPerCycle(w, a).isEmpty()) {
          throw uncovered("macs_per_cycle", w, a);
        }
        if (machine.energy() != null && machine.energy().macPj(w, a).isEmpty()) {
          throw uncovered("energy.mac_pj", w, a);
        }
      }
    }
    int widest = Math.max(weightBits.max(), activationBits.max());
    if (machine.padding() && !machine.bitSerial() && machine.laneBits() < widest) {
      throw HaqException.invalid(
          "roofline.lane_bits is %d, and with padding a word holds whole values: give at least %d, the widest that weight_bits and activation_bits allow, or allow less",
          machine.laneBits(), widest);
    }
    this.machine = machine;
  }

  private static HaqException uncovered(String key, int weights, int activations) {
    return HaqException.invalid(
        "roofline.%s has no entry that holds weights of %d and activations of %d bits, which weight_bits and activation_bits allow: add one, or allow fewer",
        key, weights, activations);
  }

  @Override
  public Set<Resource> resources() {
    return machine.energy() == null
        ? Set.of(Resource.LATENCY)
        : Set.of(Resource.LATENCY, Resource.ENERGY);
  }

  @Override
  public String missing(Resource resource) {
    return "its description has no roofline.energy: mac_pj or binary_mac_pj (pJ), sram_bit_pj (pJ), dram_bit_pj (pJ), static_mw (mW)";
  }

  @Override
  public void check(Network network) {
    checkMacs(network, MAX_BATCH_MACS);
  }

  /**
   * A layer as products of {@code rows x columns x depth}.
   *
   * @param repeats products of one image, or of the batch where its vectors are rows
   * @param images times the weights may have to be fetched
   * @param macs of the batch
   * @param inputs values of the batch
   * @param outputs values of the batch
   */
  record Work(
      double rows,
      double columns,
      double depth,
      double repeats,
      int images,
      double weights,
      double macs,
      double inputs,
      double outputs) {}

  @Override
  public Work geometry(Network network, int index) {
    Layer layer = network.layer(index);
    double weights = ModelSize.weights(layer);
    double macs = weights * ModelSize.vectors(layer) * batch();
    double inputs = (double) layer.inputValues() * batch();
    double outputs = (double) layer.outputValues() * batch();
    if (layer instanceof Layer.Conv2d conv) {
      int groups = conv.groups();
      int inputsEach = conv.inputs() / groups;
      int outputsEach = conv.outputs() / groups;
      return new Work(
          conv.output().pixels(),
          outputsEach,
          (double) conv.window().kernelArea() * inputsEach,
          groups,
          batch(),
          weights,
          macs,
          inputs,
          outputs);
    }
    if (layer instanceof Layer.DepthwiseConv2d conv) {
      int columns = machine.tileColumns();
      boolean padded = machine.padding();
      return new Work(
          conv.output().pixels(),
          padded ? columns : 1,
          conv.window().kernelArea(),
          padded ? up(conv.outputs(), columns) : conv.outputs(),
          batch(),
          weights,
          macs,
          inputs,
          outputs);
    }
    Layer.Linear linear = (Layer.Linear) layer;
    return new Work(
        (double) linear.rows() * batch(),
        linear.outputs(),
        linear.inputs(),
        1,
        1, // the batch shares one fetch of the weights
        weights,
        macs,
        inputs,
        outputs);
  }

  @Override
  public RunCost run(Network network, int layer, BitWidth weights, BitWidth activations) {
    Work work = geometry(network, layer);
    int w = weights.bits();
    int a = activations.bits();
    double products = work.repeats() * work.images();
    double macs = work.macs();
    double activationBits = work.inputs() * a;
    double weightBits = work.weights() * w;
    if (machine.padding()) {
      int perWord = Math.min(perWord(w), perWord(a));
      macs =
          products
              * up(work.rows(), machine.tileRows())
              * machine.tileRows()
              * up(work.columns(), machine.tileColumns())
              * machine.tileColumns()
              * up(work.depth(), perWord)
              * perWord;
      activationBits = products * work.rows() * fetched(work.depth(), a);
      weightBits = work.repeats() * work.columns() * fetched(work.depth(), w);
    }
    if (weightBits / 8 > machine.onChipBytes()) {
      weightBits *= work.images();
    }
    double outputBits = work.outputs() * machine.outputBits();
    double memoryBits = activationBits + weightBits + outputBits;
    double peak = machine.macsPerCycle(w, a).orElseThrow(); // MAC a cycle
    double compute = macs / peak;
    double activationPort = cycles(activationBits, machine.activationPortBitsPerCycle());
    double weightPort = cycles(weightBits, machine.weightPortBitsPerCycle());
    double dram = cycles(memoryBits, machine.dramBitsPerCycle());
    double ports = Math.max(dram, Math.max(activationPort, weightPort));
    double cycles =
        machine.combine() == RooflineParameters.Combine.MAX
            ? Math.max(compute, ports)
            : compute + activationPort + weightPort + dram;
    double sramBits = macs * ((double) a / machine.tileColumns() + (double) w / machine.tileRows());
    double seconds = cycles / clockHz;
    Optional<EnergySplit> energy =
        Optional.ofNullable(machine.energy())
            .map(
                figures ->
                    new EnergySplit(
                        work.macs() * figures.macPj(w, a).orElseThrow() * JOULES_PER_PJ,
                        sramBits * figures.sramBitPj() * JOULES_PER_PJ,
                        memoryBits * figures.dramBitPj() * JOULES_PER_PJ,
                        seconds * figures.staticMw() * WATTS_PER_MW));
    return new RunCost(
        cycles,
        seconds,
        energy.map(EnergySplit::totalJoules).map(OptionalDouble::of).orElse(OptionalDouble.empty()),
        bound(compute, activationPort, weightPort, dram),
        OptionalDouble.of(Math.min(1, work.macs() / (cycles * peak))),
        energy,
        Optional.of(
            new Traffic(
                activationBits / 8,
                weightBits / 8,
                outputBits / 8,
                OptionalDouble.of(sramBits / 8))),
        Optional.of(
            new Speed(
                peak * clockHz,
                (ports > 0 ? Math.min(peak, work.macs() / ports) : peak) * clockHz)),
        true);
  }

  /** A word holds one bit plane of lane_bits values, or as many whole values as fit. */
  private int perWord(int bits) {
    return machine.bitSerial() ? machine.laneBits() : machine.laneBits() / bits;
  }

  /** Bits of the words that hold the depth of a product. */
  private double fetched(double depth, int bits) {
    double wordsEach = machine.bitSerial() ? bits : 1;
    return up(depth, perWord(bits)) * machine.laneBits() * wordsEach;
  }

  /** The slowest; computing when it ties. */
  private static Bound bound(double compute, double activations, double weights, double dram) {
    Map<Bound, Double> cycles =
        Map.of(
            Bound.COMPUTE, compute,
            Bound.ACTIVATION_PORT, activations,
            Bound.WEIGHT_PORT, weights,
            Bound.DRAM, dram);
    Bound slowest = Bound.COMPUTE;
    for (Bound bound : Bound.values()) {
      if (cycles.getOrDefault(bound, 0.0) > cycles.get(slowest)) {
        slowest = bound;
      }
    }
    return slowest;
  }

  private static double cycles(double bits, Double bitsPerCycle) {
    return bitsPerCycle == null ? 0 : bits / bitsPerCycle;
  }

  private static double up(double dividend, double divisor) {
    return Math.ceil(dividend / divisor);
  }
}
