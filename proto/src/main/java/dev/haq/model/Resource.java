package dev.haq.model;

/** What a budget can limit. */
public enum Resource {
  /** Seconds for one batch of the target's batch size. */
  LATENCY("s"),
  /** Joules for one batch. */
  ENERGY("J"),
  /** Bytes of all parameters. */
  MODEL_SIZE("B");

  private final String unit;

  Resource(String unit) {
    this.unit = unit;
  }

  /** SI unit of this resource's values. */
  public String unit() {
    return unit;
  }
}
