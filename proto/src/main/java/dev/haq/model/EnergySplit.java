package dev.haq.model;

/**
 * Where energy goes, in joules.
 *
 * @param computeJoules in the arithmetic
 * @param sramJoules in on-chip buffers
 * @param dramJoules in off-chip memory
 * @param staticJoules lost while the device is on; 0 where a model has none
 */
public record EnergySplit(
    double computeJoules, double sramJoules, double dramJoules, double staticJoules) {
  /** All of it, in joules. */
  public double totalJoules() {
    return computeJoules + sramJoules + dramJoules + staticJoules;
  }
}
