package dev.haq.agent.search;

/**
 * What the agent sees before it decides one bit-width (paper, 3.1): {@link ObservationSpace#SIZE}
 * numbers, each 0..1.
 *
 * @param values read only
 */
public record Observation(float[] values) {
  public Observation {
    if (values.length != ObservationSpace.SIZE) {
      throw new IllegalArgumentException(
          "an observation has " + ObservationSpace.SIZE + " numbers, not " + values.length);
    }
  }
}
