package dev.haq.hwsim.cost;

/**
 * What the public simulator counts for one layer: clock cycles, and bits read and written at each
 * level.
 *
 * @param cycles computing and waiting
 * @param computeCycles computing
 */
record BitFusionCounters(
    long cycles,
    long computeCycles,
    long activationReadBits,
    long activationWriteBits,
    long weightReadBits,
    long weightWriteBits,
    long outputReadBits,
    long outputWriteBits,
    long dramReadBits,
    long dramWriteBits) {
  double corePicojoules(BitFusionParameters.Energy energy) {
    return computeCycles * energy.corePjPerComputeCycle();
  }

  double bufferPicojoules(BitFusionParameters.Energy energy) {
    return weightReadBits * energy.weightReadPjPerBit()
        + weightWriteBits * energy.weightWritePjPerBit()
        + activationReadBits * energy.activationReadPjPerBit()
        + activationWriteBits * energy.activationWritePjPerBit()
        + outputReadBits * energy.outputReadPjPerBit()
        + outputWriteBits * energy.outputWritePjPerBit();
  }

  double dramPicojoules(BitFusionParameters.Energy energy) {
    return (dramReadBits + dramWriteBits) * energy.dramPjPerBit();
  }

  double picojoules(BitFusionParameters.Energy energy) {
    return corePicojoules(energy) + bufferPicojoules(energy) + dramPicojoules(energy);
  }

  long bufferBits() {
    return activationReadBits
        + activationWriteBits
        + weightReadBits
        + weightWriteBits
        + outputReadBits
        + outputWriteBits;
  }
}
