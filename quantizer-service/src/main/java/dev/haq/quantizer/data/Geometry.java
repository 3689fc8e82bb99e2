package dev.haq.quantizer.data;

import dev.haq.model.Preprocessing;
import dev.haq.model.Preprocessing.ChannelOrder;
import java.util.Locale;

/**
 * What an image is made to: channels x height x width bytes. Mean and deviation are not part of it;
 * they are applied when an image is read.
 */
record Geometry(
    int resizeShortSide, int crop, ChannelOrder order, int channels, int height, int width) {
  static Geometry of(Preprocessing preprocessing, int channels, int height, int width) {
    return new Geometry(
        preprocessing.resizeShortSide(),
        preprocessing.crop(),
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
        "resize %d crop %d %s to %dx%dx%d",
        resizeShortSide,
        crop,
        order,
        channels,
        height,
        width);
  }
}
