package dev.haq.agent.session;

import java.util.Arrays;

/**
 * The hardware target as the caller named or described it. Only the simulator reads it.
 *
 * @param name for people and messages
 * @param encoded as the edge encoded it; opaque here
 */
public record TargetHandle(String name, byte[] encoded) {
  @Override
  public boolean equals(Object other) {
    return other instanceof TargetHandle handle
        && name.equals(handle.name)
        && Arrays.equals(encoded, handle.encoded);
  }

  @Override
  public int hashCode() {
    return 31 * name.hashCode() + Arrays.hashCode(encoded);
  }
}
