package dev.haq.hwsim.cost;

/** The energies that the golden files were computed with, in picojoules. */
final class GoldenEnergy {
  static final BitFusionParameters.Energy PUBLISHED =
      new BitFusionParameters.Energy(
          235.104,
          0.02136565625,
          0.02891615625,
          0.059474375,
          0.1137040625,
          0.0331553125,
          0.0730840625,
          15);

  private GoldenEnergy() {}
}
