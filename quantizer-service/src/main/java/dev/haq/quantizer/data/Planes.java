package dev.haq.quantizer.data;

/** Colour planes to interleaved pixels. */
final class Planes {
  private Planes() {}

  /**
   * @param planes [3 x height x width] bytes from {@code offset} on: red, green, blue
   */
  static RgbImage interleave(byte[] planes, int offset, int height, int width) {
    int area = height * width;
    byte[] pixels = new byte[RgbImage.CHANNELS * area];
    for (int c = 0; c < RgbImage.CHANNELS; c++) {
      for (int i = 0; i < area; i++) {
        pixels[i * RgbImage.CHANNELS + c] = planes[offset + c * area + i];
      }
    }
    return new RgbImage(width, height, pixels);
  }
}
