package dev.haq.agent.ddpg;

import java.nio.ByteBuffer;

/**
 * Adam (Kingma, Ba: Adam: a method for stochastic optimization, ICLR 2015, algorithm 1), on one
 * flat vector. The loop is plain so that the compiler turns it into vector instructions.
 */
final class Adam {
  /** Decay of the mean of gradients (paper, 3.6; Adam's default). */
  static final float BETA1 = 0.9f;

  /** Decay of the mean of squared gradients (paper, 3.6; Adam's default). */
  static final float BETA2 = 0.999f;

  /** Keeps the step finite where gradients vanish (Adam's default). */
  static final float EPSILON = 1e-8f;

  /**
   * Added and taken away again, so that a moment that decays (a unit that is off has no gradient)
   * ends at 0, in place of a subnormal number: processors work with those several times slower. A
   * moment changes by at most 1e-32 or one unit in its last place, whichever is more.
   */
  private static final float TINY = 1e-25f;

  private final float learningRate;
  private final float[] m; // mean of gradients
  private final float[] v; // mean of squared gradients
  private int t; // steps taken

  Adam(int parameters, double learningRate) {
    this.learningRate = (float) learningRate;
    m = new float[parameters];
    v = new float[parameters];
  }

  /** Moves {@code parameters} against {@code gradient}. */
  void step(float[] parameters, float[] gradient) {
    t++;
    float rate = (float) (learningRate / (1 - StrictMath.pow(BETA1, t)));
    float vCorrection = (float) (1 / (1 - StrictMath.pow(BETA2, t)));
    for (int i = 0; i < parameters.length; i++) {
      float g = gradient[i];
      float mean = BETA1 * m[i] + (1 - BETA1) * g + TINY - TINY;
      float square = BETA2 * v[i] + (1 - BETA2) * g * g + TINY - TINY;
      m[i] = mean;
      v[i] = square;
      parameters[i] -= rate * mean / ((float) Math.sqrt(square * vCorrection) + EPSILON);
    }
  }

  /** Bytes that {@link #save} writes. */
  int bytes() {
    return Integer.BYTES + 2 * Float.BYTES * m.length;
  }

  void save(ByteBuffer out) {
    out.putInt(t);
    Snapshot.put(out, m);
    Snapshot.put(out, v);
  }

  void load(ByteBuffer in) {
    t = in.getInt();
    Snapshot.get(in, m);
    Snapshot.get(in, v);
  }
}
