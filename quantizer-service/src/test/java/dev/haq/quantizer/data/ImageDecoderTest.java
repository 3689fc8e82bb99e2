package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;

final class ImageDecoderTest {
  /** 8x8, written by Pillow 13.0 as CMYK JPEG of quality 60. */
  private static final String CMYK =
      "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBX"
          + "QUZMTlJTUjI+WmFaUGBKUVJP/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAQAB//E"
          + "ABoQAQABBQAAAAAAAAAAAAAAAAAGFkNjgaH/2gAOBEMATQBZAEsAAD8ADArejq3y9TTn/9k=";

  @Test
  void coloursAreReadAsStored() {
    assertPixel(0x123456, Samples.png(3, 2, 0x123456), 5);
  }

  @Test
  void greyIsRepeatedWithoutGamma() {
    BufferedImage grey = new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_GRAY);
    grey.getRaster().setSample(1, 1, 0, 77);
    assertPixel(0x4D4D4D, Samples.encode(grey, "png"), 3);
    assertPixel(0x000000, Samples.encode(grey, "png"), 0);
  }

  @Test
  void sixteenBitGreyKeepsItsHighByte() {
    BufferedImage grey = new BufferedImage(1, 1, BufferedImage.TYPE_USHORT_GRAY);
    grey.getRaster().setSample(0, 0, 0, 0xABCD);
    assertPixel(0xABABAB, Samples.encode(grey, "png"), 0);
  }

  @Test
  void transparencyIsDropped() {
    BufferedImage clear = new BufferedImage(1, 1, BufferedImage.TYPE_INT_ARGB);
    clear.setRGB(0, 0, 0x20A0B0C0);
    assertPixel(0xA0B0C0, Samples.encode(clear, "png"), 0);
  }

  @Test
  void palettesAreLookedUp() {
    byte[] reds = {10, 20};
    byte[] greens = {30, 40};
    byte[] blues = {50, 60};
    BufferedImage indexed =
        new BufferedImage(
            2, 1, BufferedImage.TYPE_BYTE_INDEXED, new IndexColorModel(8, 2, reds, greens, blues));
    indexed.getRaster().setSample(1, 0, 0, 1);
    assertPixel(0x14283C, Samples.encode(indexed, "png"), 1);
  }

  @Test
  void fourColoursAreMultipliedOut() {
    byte[] jpeg = Base64.getDecoder().decode(CMYK);
    assertPixel(0x00FF80, jpeg, 0);
    assertPixel(0xD3FF80, jpeg, 7);
    assertPixel(0x002D80, jpeg, 56);
    assertPixel(0xD32D80, jpeg, 63);
  }

  @Test
  void aFileCutOffIsRefused() {
    byte[] png = Samples.png(64, 64, 0x123456);
    assertRefused("cat/1.png cannot be read", Arrays.copyOf(png, png.length - 40));
    BufferedImage noise = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 64 * 64; i++) {
      noise.setRGB(i % 64, i / 64, i * 7919);
    }
    byte[] jpeg = Samples.encode(noise, "jpeg");
    assertRefused("cat/1.png cannot be read", Arrays.copyOf(jpeg, jpeg.length / 2));
  }

  @Test
  void aTextFileNamedLikeAnImageIsRefused() {
    assertRefused(
        "cat/1.png cannot be read: it is neither PNG nor JPEG; convert it to one of them,"
            + " or remove it",
        Samples.text("not an image"));
  }

  @Test
  void anotherFormatNamedLikeOneOfTheTwoIsRefused() {
    BufferedImage image = new BufferedImage(2, 2, BufferedImage.TYPE_INT_RGB);
    assertRefused(
        "it is bmp, not PNG or JPEG; convert it to one of them, or remove it",
        Samples.encode(image, "bmp"));
  }

  private static void assertPixel(int rgb, byte[] file, int pixel) {
    byte[] pixels = ImageDecoder.decode(file, "sample").pixels();
    int actual =
        (pixels[pixel * 3] & 0xFF) << 16
            | (pixels[pixel * 3 + 1] & 0xFF) << 8
            | (pixels[pixel * 3 + 2] & 0xFF);
    assertEquals(Integer.toHexString(rgb), Integer.toHexString(actual));
  }

  private static void assertRefused(String message, byte[] file) {
    HaqException error =
        assertThrows(HaqException.class, () -> ImageDecoder.decode(file, "cat/1.png"));
    assertEquals(Reason.INVALID_DATASET, error.reason());
    assertTrue(error.getMessage().contains(message), error.getMessage());
  }
}
