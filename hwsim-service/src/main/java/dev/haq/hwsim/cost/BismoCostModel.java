package dev.haq.hwsim.cost;

import static dev.haq.hwsim.cost.BismoSplit.ceilDiv;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Bound;
import dev.haq.model.EnergySplit;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Resource;
import dev.haq.model.Traffic;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * A layer on a bit-serial matrix engine (BISMO, Umuroglu et al., FPL 2018; the HW2 and HW3 of the
 * HAQ paper, section 4.1): the layer becomes one product, repeated.
 *
 * <p>With the parameters of {@code bismo-cloud} this gives every cell of the published MobileNetV2
 * table. What that table does not pin is marked extrapolated:
 *
 * <ul>
 *   <li>dense kernels larger than 1 with more than one word of depth;
 *   <li>grouped convolutions, taken as one product a group;
 *   <li>depthwise kernels other than 3x3, and depthwise layers that multiply the channels;
 *   <li>fully connected layers whose vectors (batch x rows) do not fit the rows of one tile, taken
 *       as one product a tile, and those of more than one row an image;
 *   <li>both operands larger than their buffers.
 * </ul>
 */
public final class BismoCostModel extends ClockedCostModel {
  /**
   * Largest layer accepted, in multiply-accumulate operations a batch: beyond it cycles overflow.
   */
  private static final double MAX_BATCH_MACS = 1e14;

  private final BismoParameters array;
  private final BismoEnergy energy;
  private final BismoKernel dense;
  private final BismoKernel depthwise;

  /**
   * @param clockHz above 0
   * @param batch images in a batch, at least 1
   * @param energy the user's own figures; without all of them energy is refused
   */
  public BismoCostModel(
      String name,
      BismoParameters array,
      double clockHz,
      int batch,
      BitChoices weightBits,
      BitChoices activationBits,
      BismoEnergy energy) {
    super(name, clockHz, batch, weightBits, activationBits);
    this.array = array;
    this.energy = energy;
    this.dense = kernel(array.activationWordCycles(), array.weightWordCycles());
    this.depthwise =
        kernel(array.depthwiseActivationWordCycles(), array.depthwiseWeightWordCycles());
  }

  private BismoKernel kernel(int activationWordCycles, int weightWordCycles) {
    return new BismoKernel(
        array.tile(),
        array.activationBufferWords(),
        array.weightBufferWords(),
        activationWordCycles,
        weightWordCycles);
  }

  @Override
  public Set<Resource> resources() {
    return energy.isComplete()
        ? Set.of(Resource.LATENCY, Resource.ENERGY)
        : Set.of(Resource.LATENCY);
  }

  @Override
  public String missing(Resource resource) {
    return "no figure is published for its energy, and the request does not give "
        + String.join(", ", energy.missing());
  }

  @Override
  public void check(Network network) {
    checkMacs(network, MAX_BATCH_MACS);
  }

  /**
   * A layer as a product of {@code rows x columns x words}, repeated.
   *
   * @param macs multiply-accumulate operations of the whole batch
   */
  record Work(
      long rows,
      long columns,
      long words,
      long repeats,
      long macs,
      boolean isDepthwise,
      boolean extrapolated) {}

  @Override
  public Work geometry(Network network, int index) {
    Layer layer = network.layer(index);
    long macs = layer.macs() * batch();
    if (layer instanceof Layer.Conv2d conv) {
      int groups = conv.groups();
      int kernel = conv.window().kernelArea();
      long words = words((long) kernel * conv.inputs() / groups);
      return new Work(
          conv.output().pixels(),
          conv.outputs() / groups,
          words,
          (long) groups * batch(), // weights are read again for every image
          macs,
          false,
          groups > 1 || (kernel > 1 && words > 1));
    }
    if (layer instanceof Layer.DepthwiseConv2d conv) {
      boolean published =
          conv.window().kernelHeight() == 3
              && conv.window().kernelWidth() == 3
              && conv.outputs() == conv.inputs();
      return new Work(
          conv.output().pixels(),
          array.tile(),
          words(conv.window().kernelArea()),
          ceilDiv(conv.outputs(), array.depthwiseGroupChannels()) * batch(),
          macs,
          true,
          !published);
    }
    Layer.Linear linear = (Layer.Linear) layer;
    long tiles = ceilDiv((long) linear.rows() * batch(), array.tile());
    return new Work(
        1, // the vectors of the batch are the rows of one tile
        linear.outputs(),
        words(linear.inputs()),
        tiles,
        macs,
        false,
        tiles > 1 || linear.rows() > 1);
  }

  private long words(long depth) {
    return ceilDiv(depth, array.wordBits());
  }

  @Override
  public RunCost run(Network network, int layer, BitWidth weights, BitWidth activations) {
    Work work = geometry(network, layer);
    BismoKernel kernel = work.isDepthwise() ? depthwise : dense;
    int w = weights.bits();
    int a = activations.bits();
    BismoCycles product =
        kernel.run(new BismoProduct(work.rows(), work.columns(), work.words(), w, a));
    double cycles = (double) product.cycles() * work.repeats();
    double peak = (double) array.tile() * array.tile() * array.wordBits() / (w * a); // MAC a cycle
    double ports =
        (double) Math.max(product.activationPort(), product.weightPort()) * work.repeats();
    double least = Math.max(work.macs() / peak, ports); // cycles if nothing ever waited
    Traffic traffic = traffic(work, product);
    Optional<EnergySplit> split = energy(work, product, w * a, traffic);
    return new RunCost(
        cycles,
        cycles / clockHz,
        split.map(EnergySplit::totalJoules).map(OptionalDouble::of).orElse(OptionalDouble.empty()),
        boundBy(product),
        OptionalDouble.of(work.macs() / (cycles * peak)),
        split,
        Optional.of(traffic),
        Optional.of(new Speed(peak * clockHz, work.macs() / least * clockHz)),
        work.extrapolated() || product.bothSplit());
  }

  /** With the user's figures: the operations asked for, a tile's words a step, the ports' words. */
  private Optional<EnergySplit> energy(
      Work work, BismoCycles product, int planes, Traffic traffic) {
    if (!energy.isComplete()) {
      return Optional.empty();
    }
    double buffers = 2.0 * array.tile() * array.wordBits() * product.steps() * work.repeats();
    return Optional.of(
        new EnergySplit(
            (double) work.macs() * planes * energy.binaryOperationPj() * JOULES_PER_PJ,
            buffers * energy.sramBitPj() * JOULES_PER_PJ,
            traffic.memoryBytes() * 8 * energy.dramBitPj() * JOULES_PER_PJ,
            0));
  }

  /** Where the most cycles go; computing when it ties. */
  private static Bound boundBy(BismoCycles product) {
    if (product.steps() >= Math.max(product.activationPort(), product.weightPort())) {
      return Bound.COMPUTE;
    }
    return product.activationPort() >= product.weightPort()
        ? Bound.ACTIVATION_PORT
        : Bound.WEIGHT_PORT;
  }

  private Traffic traffic(Work work, BismoCycles product) {
    boolean dw = work.isDepthwise();
    double bytes = (double) work.repeats() * array.wordBits() / 8; // of a word, over all products
    return new Traffic(
        bytes
            * product.activationPort()
            / (dw ? array.depthwiseActivationWordCycles() : array.activationWordCycles()),
        bytes
            * product.weightPort()
            / (dw ? array.depthwiseWeightWordCycles() : array.weightWordCycles()),
        0,
        OptionalDouble.empty());
  }
}
