package dev.haq.quantizer.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Preprocessing.ChannelOrder;
import dev.haq.model.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ImagePreparationTest {
  private static final List<Double> ZEROS = List.of(0.0, 0.0, 0.0);
  private static final List<Double> ONES = List.of(1.0, 1.0, 1.0);

  @Test
  void theShortSideIsResizedAndTheCentreIsCut() {
    RgbImage wide = ImageDecoder.decode(Samples.png(300, 150, 0x102030), "wide.png");
    byte[] planes =
        new ImagePreparation(Geometry.of(with(20, 16), 3, 16, 16)).prepare(wide, "wide.png");
    assertEquals(3 * 16 * 16, planes.length);
    assertEquals(0x10, planes[0]);
    assertEquals(0x20, planes[16 * 16]);
    assertEquals(0x30, planes[2 * 16 * 16]);
  }

  @Test
  void imagesAreCutForNetworksWhoseInputIsNoSquare() {
    RgbImage wide = ImageDecoder.decode(Samples.png(300, 150, 0x102030), "wide.png");
    Preprocessing cut = new Preprocessing(20, 12, 32, ZEROS, ONES, ChannelOrder.RGB);
    byte[] planes = new ImagePreparation(Geometry.of(cut, 3, 12, 32)).prepare(wide, "wide.png");
    assertEquals(3 * 12 * 32, planes.length);
    assertEquals(0x30, planes[2 * 12 * 32]);
    HaqException error =
        assertThrows(
            HaqException.class,
            () -> new ImagePreparation(Geometry.of(with(20, 16), 3, 12, 32)).prepare(wide, "w"));
    assertEquals(
        "w is 150x300 (height x width; 16x16 after preprocessing), the model takes 12x32: give a"
            + " preprocessing that resizes and crops to that, with a crop of 12x32",
        error.getMessage());
  }

  @Test
  void whatIsPreparedForASquareIsFoundUnderItsOldName() {
    assertEquals(
        "resize 256 crop 224 RGB to 3x224x224",
        Geometry.of(Preprocessing.preset("imagenet"), 3, 224, 224).text());
  }

  @Test
  void anOddRestIsRoundedHalfToEven() {
    byte[] pixels = new byte[3 * 3 * 6];
    for (int x = 0; x < 6; x++) {
      for (int y = 0; y < 3; y++) {
        pixels[(y * 6 + x) * 3] = (byte) x;
      }
    }
    // (6 - 3) / 2 = 1.5 goes to 2: columns 2, 3, 4.
    byte[] planes =
        new ImagePreparation(Geometry.of(with(0, 3), 3, 3, 3))
            .prepare(new RgbImage(6, 3, pixels), "x.png");
    assertArrayEquals(new byte[] {2, 3, 4}, java.util.Arrays.copyOf(planes, 3));
  }

  @Test
  void blueComesFirstForNetworksThatWantIt() {
    RgbImage image = ImageDecoder.decode(Samples.png(2, 2, 0x010203), "a.png");
    Preprocessing bgr = new Preprocessing(0, 0, ZEROS, ONES, ChannelOrder.BGR);
    byte[] planes = new ImagePreparation(Geometry.of(bgr, 3, 2, 2)).prepare(image, "a.png");
    assertArrayEquals(new byte[] {3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1}, planes);
  }

  @Test
  void aWrongSizeIsRefusedWithTheFileItsSizeAndTheModels() {
    HaqException error = refused(with(0, 0), 48, 40);
    assertEquals(Reason.IMAGE_SIZE_MISMATCH, error.reason());
    assertEquals(
        "cat/7.png is 40x48 (height x width), the model takes 32x32: give a preprocessing that"
            + " resizes and crops to that",
        error.getMessage());
  }

  @Test
  void aCropLargerThanTheImageIsRefused() {
    HaqException error = refused(with(0, 32), 20, 40);
    assertEquals(Reason.IMAGE_SIZE_MISMATCH, error.reason());
    assertEquals(
        "cat/7.png is 40x20 (height x width), too small to cut 32x32 from it: give a larger resize",
        error.getMessage());
    assertEquals(
        "cat/7.png is 40x20 (height x width) after the resize, too small to cut 32x32 from it: give"
            + " a larger resize",
        refused(with(20, 32), 30, 60).getMessage());
  }

  @Test
  void anImageTooLongToBeResizedIsRefused() {
    HaqException error = refused(with(4096, 32), 1, 1_000_000);
    assertEquals(Reason.IMAGE_SIZE_MISMATCH, error.reason());
    assertEquals(
        "cat/7.png is 1000000x1 (height x width), too long and narrow to be resized to a short side"
            + " of 4096: remove it, or give a smaller resize",
        error.getMessage());
  }

  private static HaqException refused(Preprocessing preprocessing, int width, int height) {
    RgbImage image = new RgbImage(width, height, new byte[3 * width * height]);
    ImagePreparation preparation = new ImagePreparation(Geometry.of(preprocessing, 3, 32, 32));
    return assertThrows(HaqException.class, () -> preparation.prepare(image, "cat/7.png"));
  }

  private static Preprocessing with(int resize, int crop) {
    return new Preprocessing(resize, crop, ZEROS, ONES, ChannelOrder.RGB);
  }

  @Test
  void aModelOfOneChannelGetsGreyAsPillowWeighsIt() {
    byte[] pixels = {(byte) 255, 0, 0, 0, (byte) 255, 0, 0, 0, (byte) 255, 77, 77, 77};
    byte[] grey =
        new ImagePreparation(Geometry.of(with(0, 0), 1, 2, 2))
            .prepare(new RgbImage(2, 2, pixels), "x.png");
    // Image.convert("L") of the same four pixels.
    assertArrayEquals(new byte[] {76, (byte) 150, 29, 77}, grey);
  }
}
