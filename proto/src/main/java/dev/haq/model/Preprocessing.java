package dev.haq.model;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * How an image file becomes the network's input: resize, centre crop, then {@code (value - mean) /
 * std} per channel on 0..255.
 *
 * @param resizeShortSide short side after an antialiased bilinear resize, in pixels up to 4096; 0
 *     leaves the size alone
 * @param cropHeight height of what is cut from the centre, in pixels up to 4096; 0 cuts nothing
 * @param cropWidth width of it; 0 where and only where the height is
 * @param mean per channel in the order of {@code channels}, or one for all, on 0..255
 * @param std per channel, or one for all, above 0
 */
public record Preprocessing(
    int resizeShortSide,
    int cropHeight,
    int cropWidth,
    List<Double> mean,
    List<Double> std,
    ChannelOrder channels) {
  /** Order of the colour planes the network was trained with. */
  public enum ChannelOrder {
    RGB,
    BGR
  }

  /** No classifier takes larger images; a larger size would only fill the memory. */
  private static final int LARGEST = 4096;

  private static final List<Double> IMAGENET_MEAN = List.of(123.675, 116.28, 103.53);
  private static final List<Double> IMAGENET_STD = List.of(58.395, 57.12, 57.375);

  private static final Map<String, Preprocessing> PRESETS =
      new TreeMap<>(
          Map.of(
              "imagenet",
              new Preprocessing(256, 224, IMAGENET_MEAN, IMAGENET_STD, ChannelOrder.RGB),
              // As many CIFAR-10 networks were trained, with ImageNet's mean and deviation.
              "cifar10",
              new Preprocessing(0, 0, IMAGENET_MEAN, IMAGENET_STD, ChannelOrder.RGB),
              // With those of CIFAR-10's own training images.
              "cifar10-own",
              new Preprocessing(
                  0, 0, List.of(125.3, 123.0, 113.9), List.of(63.0, 62.1, 66.7), ChannelOrder.RGB),
              "tensorflow",
              new Preprocessing(
                  256,
                  224,
                  List.of(127.5, 127.5, 127.5),
                  List.of(127.5, 127.5, 127.5),
                  ChannelOrder.RGB),
              "mnist",
              new Preprocessing(0, 0, List.of(33.3285), List.of(78.5655), ChannelOrder.RGB),
              "raw",
              new Preprocessing(
                  0, 0, List.of(0.0, 0.0, 0.0), List.of(1.0, 1.0, 1.0), ChannelOrder.RGB)));

  public Preprocessing {
    mean = forEachChannel(mean);
    std = forEachChannel(std);
    for (int pixels : new int[] {resizeShortSide, cropHeight, cropWidth}) {
      if (pixels < 0 || pixels > LARGEST || (cropHeight == 0) != (cropWidth == 0)) {
        throw HaqException.invalid(
            "resize %d and crop %dx%d (height x width) must be pixels from 1 to %d, or 0 for none",
            resizeShortSide, cropHeight, cropWidth, LARGEST);
      }
    }
    if (mean.size() != 3 || std.size() != 3) {
      throw HaqException.invalid(
          "mean and std need three values, one a channel, or one for all: got %s and %s",
          mean, std);
    }
    for (int c = 0; c < 3; c++) {
      if (!Double.isFinite(mean.get(c)) || !(std.get(c) > 0) || Double.isInfinite(std.get(c))) {
        throw HaqException.invalid("mean %s must be finite and std %s above 0", mean, std);
      }
    }
  }

  /**
   * Refuses the mean and deviation of pixels from 0 to 1, as other tools have them, where they come
   * in; what was stored before that was looked at stays readable.
   *
   * @throws HaqException INVALID_ARGUMENT
   */
  public Preprocessing ofPixelsTo255() {
    if (std.stream().allMatch(value -> value < 1)
        && mean.stream().allMatch(value -> Math.abs(value) <= 1)) {
      throw HaqException.invalid(
          "mean %s and std %s are those of pixels from 0 to 1, and pixels are from 0 to 255 here: multiply both by 255, so that a std of 0.229 becomes 58.395",
          mean, std);
    }
    return this;
  }

  /**
   * That cuts a square.
   *
   * @param crop its side, in pixels up to 4096; 0 cuts nothing
   */
  public Preprocessing(
      int resizeShortSide, int crop, List<Double> mean, List<Double> std, ChannelOrder channels) {
    this(resizeShortSide, crop, crop, mean, std, channels);
  }

  private static List<Double> forEachChannel(List<Double> values) {
    return values.size() == 1 ? Collections.nCopies(3, values.get(0)) : List.copyOf(values);
  }

  /** The names of the presets, sorted. */
  public static Set<String> presets() {
    return Collections.unmodifiableSet(PRESETS.keySet());
  }

  /** A preset by its name, one of {@link #presets}. */
  public static Preprocessing preset(String name) {
    Preprocessing preset = PRESETS.get(name);
    if (preset == null) {
      throw HaqException.invalid(
          "there is no preprocessing preset '%s': use one of %s", name, PRESETS.keySet());
    }
    return preset;
  }
}
