package dev.haq.quantizer.train;

import dev.haq.quantizer.builtin.BuiltinShapes;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * The training images of {@code builtin:shapes}, drawn once, and batches of them. Each time an
 * image is used it is turned or mirrored (8 ways) and its colour planes are swapped (6 ways): none
 * of that changes its class.
 */
final class TrainingImages {
  private static final int[][] PLANE_ORDERS = {
    {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}
  };

  private final byte[][] pixels;
  private final float mean = BuiltinShapes.PREPROCESSING.mean().get(0).floatValue();
  private final float std = BuiltinShapes.PREPROCESSING.std().get(0).floatValue();

  private TrainingImages(byte[][] pixels) {
    this.pixels = pixels;
  }

  /** Draws the first {@code count} training images on all cores. */
  static TrainingImages draw(int count) {
    return new TrainingImages(
        IntStream.range(0, count)
            .parallel()
            .mapToObj(i -> BuiltinShapes.image(BuiltinShapes.FIRST_TRAINING_IMAGE + i))
            .toArray(byte[][]::new));
  }

  int size() {
    return pixels.length;
  }

  float label(int image) {
    return BuiltinShapes.label(BuiltinShapes.FIRST_TRAINING_IMAGE + image);
  }

  /** A random order of all images (Fisher-Yates). */
  int[] shuffled(SplittableRandom random) {
    int[] order = IntStream.range(0, size()).toArray();
    for (int last = order.length - 1; last > 0; last--) {
      int other = random.nextInt(last + 1);
      int swapped = order[last];
      order[last] = order[other];
      order[other] = swapped;
    }
    return order;
  }

  /** Writes one image, augmented and normalised, to {@code target} [3 x 32 x 32] from offset on. */
  void augmented(int image, SplittableRandom random, float[] target, int offset) {
    byte[] source = pixels[image];
    int side = BuiltinShapes.SIDE;
    int area = side * side;
    int[] planes = PLANE_ORDERS[random.nextInt(PLANE_ORDERS.length)];
    boolean transposed = random.nextBoolean();
    boolean mirroredX = random.nextBoolean();
    boolean mirroredY = random.nextBoolean();
    for (int c = 0; c < BuiltinShapes.CHANNELS; c++) {
      for (int y = 0; y < side; y++) {
        for (int x = 0; x < side; x++) {
          int row = mirroredY ? side - 1 - y : y;
          int column = mirroredX ? side - 1 - x : x;
          int pixel = transposed ? column * side + row : row * side + column;
          int value = source[planes[c] * area + pixel] & 0xFF;
          target[offset + c * area + y * side + x] = (value - mean) / std;
        }
      }
    }
  }
}
