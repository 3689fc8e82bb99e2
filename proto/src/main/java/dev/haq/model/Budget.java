package dev.haq.model;

/**
 * The most of one resource that a policy may cost.
 *
 * @param kind whether {@code value} is absolute or a share of a reference policy's cost
 * @param value in the resource's unit (s, J, B), or a ratio; above 0
 */
public record Budget(Resource resource, Kind kind, double value) {
  /** How a budget is stated. */
  public enum Kind {
    ABSOLUTE,
    /**
     * Of the 8-bit policy for latency and energy, of the 32-bit float model for model size (paper,
     * 4.1).
     */
    RATIO
  }

  public Budget {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw HaqException.invalid("budget %s must be a finite number above 0", value);
    }
  }

  public static Budget ratio(Resource resource, double ratio) {
    return new Budget(resource, Kind.RATIO, ratio);
  }

  /**
   * @param limit in the resource's unit
   */
  public static Budget absolute(Resource resource, double limit) {
    return new Budget(resource, Kind.ABSOLUTE, limit);
  }

  /** The limit in the resource's unit, given the reference policy's cost in the same unit. */
  public double limit(double referenceCost) {
    return kind == Kind.ABSOLUTE ? value : value * referenceCost;
  }
}
