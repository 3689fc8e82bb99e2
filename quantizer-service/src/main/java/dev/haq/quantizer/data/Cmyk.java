package dev.haq.quantizer.data;

/**
 * Four-colour JPEG samples to RGB, as libjpeg and Pillow do together: ink values are stored
 * inverted, and with Adobe's transform 2 the first three are YCbCr of the inverted ones (YCCK).
 */
final class Cmyk {
  private static final int YCCK = 2;

  private Cmyk() {}

  /** Converts the four samples at {@code from} to three bytes at {@code to}. */
  static void toRgb(int[] samples, int from, int adobeTransform, byte[] rgb, int to) {
    int first = samples[from];
    int second = samples[from + 1];
    int third = samples[from + 2];
    int[] ink = new int[3];
    if (adobeTransform == YCCK) {
      // The matrix of JFIF 1.02. It gives 255 less the stored value, which is 255 less the ink.
      ink[0] = clamp(Math.round(first + 1.402f * (third - 128)));
      ink[1] = clamp(Math.round(first - 0.344136f * (second - 128) - 0.714136f * (third - 128)));
      ink[2] = clamp(Math.round(first + 1.772f * (second - 128)));
    } else {
      ink[0] = 255 - first;
      ink[1] = 255 - second;
      ink[2] = 255 - third;
    }
    int light = samples[from + 3]; // 255 less the black ink
    for (int c = 0; c < 3; c++) {
      rgb[to + c] = (byte) clamp(light - dividedBy255(ink[c] * light));
    }
  }

  /** x / 255 rounded, for x of 0..65025. */
  private static int dividedBy255(int x) {
    int biased = x + 128;
    return ((biased >> 8) + biased) >> 8;
  }

  private static int clamp(int value) {
    return Math.max(0, Math.min(255, value));
  }
}
