package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing.ChannelOrder;
import dev.haq.model.Reason;
import java.util.Locale;

/**
 * The part of preprocessing that is done once an image: resize, centre crop, order of the colour
 * planes. Sizes round as torchvision's {@code Resize} and {@code CenterCrop} do.
 */
final class ImagePreparation {
  private final Geometry geometry;
  private final int height;
  private final int width;

  ImagePreparation(Geometry geometry) {
    this.geometry = geometry;
    this.height = geometry.height();
    this.width = geometry.width();
  }

  /**
   * @param name of the image, for the error message
   * @return [channels x height x width] bytes 0..255, the planes in the network's order
   * @throws HaqException IMAGE_SIZE_MISMATCH when the prepared image is not height x width
   */
  byte[] prepare(RgbImage image, String name) {
    RgbImage resized = resizeShortSide(image, name);
    boolean cut = geometry.cropHeight() > 0;
    int cropWidth = cut ? geometry.cropWidth() : resized.width();
    int cropHeight = cut ? geometry.cropHeight() : resized.height();
    if (cropWidth > resized.width() || cropHeight > resized.height()) {
      throw new HaqException(
          Reason.IMAGE_SIZE_MISMATCH,
          String.format(
              Locale.ROOT,
              "%s is %dx%d (height x width)%s, too small to cut %dx%d from it: give a larger resize",
              name,
              resized.height(),
              resized.width(),
              geometry.resizeShortSide() == 0 ? "" : " after the resize",
              cropHeight,
              cropWidth));
    }
    if (cropWidth != width || cropHeight != height) {
      throw new HaqException(
          Reason.IMAGE_SIZE_MISMATCH,
          String.format(
              Locale.ROOT,
              "%s is %dx%d (height x width%s), the model takes %dx%d: give a preprocessing that"
                  + " resizes and crops to that%s",
              name,
              image.height(),
              image.width(),
              cropWidth == image.width() && cropHeight == image.height()
                  ? ""
                  : "; " + cropHeight + "x" + cropWidth + " after preprocessing",
              height,
              width,
              width == height ? "" : ", with a crop of " + height + "x" + width));
    }
    return planes(
        resized, offset(resized.width(), cropWidth), offset(resized.height(), cropHeight));
  }

  private RgbImage resizeShortSide(RgbImage image, String name) {
    int size = geometry.resizeShortSide();
    if (size == 0) {
      return image;
    }
    boolean wide = image.width() > image.height();
    long longSide = (long) size * Math.max(image.width(), image.height());
    longSide /= Math.min(image.width(), image.height());
    if (longSide * size > ImageDecoder.MAX_PIXELS) {
      throw new HaqException(
          Reason.IMAGE_SIZE_MISMATCH,
          String.format(
              Locale.ROOT,
              "%s is %dx%d (height x width), too long and narrow to be resized to a short side of %d:"
                  + " remove it, or give a smaller resize",
              name,
              image.height(),
              image.width(),
              size));
    }
    int other = (int) longSide;
    return BilinearResize.resize(image, wide ? other : size, wide ? size : other);
  }

  /** Half of what is left over, rounded half to even. */
  private static int offset(int size, int crop) {
    return (int) Math.rint((size - crop) / 2.0);
  }

  private byte[] planes(RgbImage image, int left, int top) {
    return geometry.channels() == 1 ? grey(image, left, top) : colours(image, left, top);
  }

  /** ITU-R BT.601 in Pillow's fixed point; of grey pixels exactly their value. */
  private byte[] grey(RgbImage image, int left, int top) {
    byte[] plane = new byte[height * width];
    byte[] pixels = image.pixels();
    for (int y = 0; y < height; y++) {
      int source = ((top + y) * image.width() + left) * RgbImage.CHANNELS;
      for (int x = 0; x < width; x++, source += RgbImage.CHANNELS) {
        int weighted =
            (pixels[source] & 0xFF) * 19595
                + (pixels[source + 1] & 0xFF) * 38470
                + (pixels[source + 2] & 0xFF) * 7471;
        plane[y * width + x] = (byte) ((weighted + 0x8000) >> 16);
      }
    }
    return plane;
  }

  private byte[] colours(RgbImage image, int left, int top) {
    boolean reversed = geometry.order() == ChannelOrder.BGR;
    byte[] planes = new byte[RgbImage.CHANNELS * height * width];
    for (int c = 0; c < RgbImage.CHANNELS; c++) {
      int channel = reversed ? RgbImage.CHANNELS - 1 - c : c;
      for (int y = 0; y < height; y++) {
        int source = ((top + y) * image.width() + left) * RgbImage.CHANNELS + channel;
        int target = (c * height + y) * width;
        for (int x = 0; x < width; x++) {
          planes[target + x] = image.pixels()[source + x * RgbImage.CHANNELS];
        }
      }
    }
    return planes;
  }
}
