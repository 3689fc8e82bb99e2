package dev.haq.quantizer.eval;

import java.util.Random;

/** Seeded noise with labels, for tests. */
record RandomImages(int size, int values, int classes) implements Images {
  @Override
  public int label(int image) {
    return image % classes;
  }

  @Override
  public void read(int image, float[] target, int offset) {
    Random random = new Random(image);
    for (int i = 0; i < values; i++) {
      target[offset + i] = (float) random.nextGaussian();
    }
  }
}
