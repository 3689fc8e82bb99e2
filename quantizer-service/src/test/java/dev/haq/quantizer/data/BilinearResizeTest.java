package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Golden values written by Pillow 11.3: {@code Image.fromarray(a).resize((w, h), BILINEAR)}. */
final class BilinearResizeTest {
  @Test
  void reducingGivesPillowsBytes() {
    assertResized(
        3, 2, 70, 93, 115, 128, 96, 109, 166, 119, 100, 97, 120, 142, 155, 123, 136, 151, 146, 127);
  }

  @Test
  void reducingOneSideAndEnlargingTheOtherGivesPillowsBytes() {
    assertResized(
        2, 5, 37, 78, 73, 111, 84, 103, 101, 101, 129, 175, 107, 93, 137, 120, 162, 170, 126, 98,
        128, 128, 156, 145, 134, 120, 88, 129, 124, 162, 135, 154);
  }

  @Test
  void enlargingGivesPillowsFirstRow() {
    byte[] expected =
        bytes(
            0, 0, 0, 21, 51, 82, 48, 116, 111, 74, 180, 30, 100, 61, 132, 127, 53, 125, 148, 104,
            60);
    byte[] actual = BilinearResize.resize(pattern(), 7, 6).pixels();
    assertArrayEquals(expected, java.util.Arrays.copyOf(actual, expected.length));
    assertEquals(7 * 6 * 3, actual.length);
  }

  @Test
  void theSameSizeKeepsEveryByte() {
    assertArrayEquals(pattern().pixels(), BilinearResize.resize(pattern(), 5, 4).pixels());
  }

  private static void assertResized(int width, int height, int... expected) {
    assertArrayEquals(bytes(expected), BilinearResize.resize(pattern(), width, height).pixels());
  }

  /** 5x4 pixels: (37 x + 91 y^2 + 53 c x) mod 256. */
  private static RgbImage pattern() {
    byte[] pixels = new byte[4 * 5 * 3];
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 5; x++) {
        for (int c = 0; c < 3; c++) {
          pixels[(y * 5 + x) * 3 + c] = (byte) (37 * x + 91 * y * y + 53 * c * x);
        }
      }
    }
    return new RgbImage(5, 4, pixels);
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }
}
