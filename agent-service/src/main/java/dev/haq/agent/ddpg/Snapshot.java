package dev.haq.agent.ddpg;

import java.nio.ByteBuffer;

/** Arrays of floats to bytes and back, bit for bit. */
final class Snapshot {
  private Snapshot() {}

  static void put(ByteBuffer out, float[] values) {
    out.asFloatBuffer().put(values);
    out.position(out.position() + Float.BYTES * values.length);
  }

  static void get(ByteBuffer in, float[] values) {
    in.asFloatBuffer().get(values);
    in.position(in.position() + Float.BYTES * values.length);
  }
}
