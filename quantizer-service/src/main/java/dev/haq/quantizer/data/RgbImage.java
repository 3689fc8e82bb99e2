package dev.haq.quantizer.data;

/**
 * A decoded picture.
 *
 * @param width pixels, at least 1
 * @param height pixels, at least 1
 * @param pixels [height x width x 3] bytes 0..255: row by row, red, green, blue of each pixel
 */
record RgbImage(int width, int height, byte[] pixels) {
  static final int CHANNELS = 3;

  RgbImage {
    if (width < 1 || height < 1 || pixels.length != CHANNELS * width * height) {
      throw new IllegalArgumentException(
          pixels.length + " bytes are no RGB image of height " + height + " and width " + width);
    }
  }
}
