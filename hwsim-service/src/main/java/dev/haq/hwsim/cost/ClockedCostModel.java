package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;

/** What the models of described accelerators have in common: a name, a clock, a batch, widths. */
abstract class ClockedCostModel implements CostModel {
  static final double JOULES_PER_PJ = 1e-12;

  final double clockHz;
  private final String name;
  private final int batch;
  private final BitChoices weightBits;
  private final BitChoices activationBits;

  /**
   * @param clockHz above 0
   * @param batch images in a batch, at least 1
   */
  ClockedCostModel(
      String name, double clockHz, int batch, BitChoices weightBits, BitChoices activationBits) {
    if (!(clockHz > 0) || Double.isInfinite(clockHz)) {
      throw HaqException.invalid("target %s: clock_hz %s must be above 0", name, clockHz);
    }
    if (batch < 1) {
      throw HaqException.invalid("batch %d must be at least 1", batch);
    }
    this.name = name;
    this.clockHz = clockHz;
    this.batch = batch;
    this.weightBits = weightBits;
    this.activationBits = activationBits;
  }

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final BitChoices weightBits() {
    return weightBits;
  }

  @Override
  public final BitChoices activationBits() {
    return activationBits;
  }

  @Override
  public final int batch() {
    return batch;
  }

  @Override
  public final boolean clocked() {
    return true;
  }

  /** Refuses a network with a layer of more multiply-accumulate operations a batch. */
  final void checkMacs(Network network, double limit) {
    for (Layer layer : network.layers()) {
      double macs = ModelSize.weights(layer) * ModelSize.vectors(layer) * batch;
      checkBatchMacs(layer, macs, limit);
    }
  }
}
