package dev.haq.quantizer.data;

import dev.haq.model.Preprocessing;
import dev.haq.model.Preprocessing.ChannelOrder;
import java.util.Locale;

/**
 * What an image is made to: channels x height x width bytes. Mean and deviation are not part of it;
 * they are applied when an image is read.
 */
record Geometry(
    int resizeShortSide,
    int cropHeight,
    int cropWidth,
    ChannelOrder order,
    int channels,
    int height,
    int width) {
  static Geometry of(Preprocessing preprocessing, int channels, int height, int width) {
    return new Geometry(
        preprocessing.resizeShortSide(),
        preprocessing.cropHeight(),
        preprocessing.cropWidth(),
        channels == 1 ? ChannelOrder.RGB : preprocessing.channels(),
        channels,
        height,
        width);
  }

  int bytes() {
    return channels * height * width;
  }

  String text() {
    return String.format(
        Locale.ROOT,
        "resize %d crop %s %s to %dx%dx%d",
        resizeShortSide,
        cropHeight == cropWidth ? String.valueOf(cropHeight) : cropHeight + "x" + cropWidth,
        order,
        channels,
        height,
        width);
  }
}
