package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import java.util.Locale;

/**
 * Images ready for a network: decoded, resized and cropped once, kept as bytes, normalised when
 * read. Immutable, so thread-safe.
 */
public final class LabelledImages {
  private final int height;
  private final int width;
  private final byte[][] pixels; // [image][3 * height * width]
  private final int[] labels;
  private final String[] names;
  private final float[][] normalised; // [channel][byte value]

  LabelledImages(
      int height,
      int width,
      byte[][] pixels,
      int[] labels,
      String[] names,
      Preprocessing preprocessing) {
    this.height = height;
    this.width = width;
    this.pixels = pixels;
    this.labels = labels;
    this.names = names;
    this.normalised = new float[RgbImage.CHANNELS][256];
    for (int c = 0; c < RgbImage.CHANNELS; c++) {
      for (int value = 0; value < 256; value++) {
        normalised[c][value] =
            (float) ((value - preprocessing.mean().get(c)) / preprocessing.std().get(c));
      }
    }
  }

  /** How many images there are, at least 1. */
  public int size() {
    return pixels.length;
  }

  public int height() {
    return height;
  }

  public int width() {
    return width;
  }

  /** Floats that one image takes: 3 x height x width. */
  public int floatsPerImage() {
    return RgbImage.CHANNELS * height * width;
  }

  /** The class of an image, 0 or more. */
  public int label(int image) {
    return labels[image];
  }

  /**
   * Writes one normalised image, [3 x height x width], to {@code target} from {@code offset} on.
   */
  public void read(int image, float[] target, int offset) {
    byte[] source = pixels[image];
    int area = height * width;
    for (int c = 0; c < RgbImage.CHANNELS; c++) {
      float[] values = normalised[c];
      int from = c * area;
      for (int i = from; i < from + area; i++) {
        target[offset + i] = values[source[i] & 0xFF];
      }
    }
  }

  /** What a byte of a channel stands for, [channel][256]. */
  public float[][] byteValues() {
    float[][] copy = new float[normalised.length][];
    for (int c = 0; c < copy.length; c++) {
      copy[c] = normalised[c].clone();
    }
    return copy;
  }

  /** Writes one image's bytes, [3 x height x width], to {@code target}. */
  public void readBytes(int image, byte[] target) {
    System.arraycopy(pixels[image], 0, target, 0, pixels[image].length);
  }

  /**
   * Checks that every label is one of the model's classes.
   *
   * @throws HaqException LABEL_OUT_OF_RANGE naming the first image whose label is not
   */
  public void requireLabelsBelow(int classes) {
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] >= classes) {
        throw new HaqException(
            Reason.LABEL_OUT_OF_RANGE,
            String.format(
                Locale.ROOT,
                "%s has label %d, the model tells %d classes apart (0 to %d): use data of this"
                    + " model's classes, or list them in index order in classes.txt",
                names[i],
                labels[i],
                classes,
                classes - 1));
      }
    }
  }

  /** Bytes of memory that the pixels take. */
  long sizeBytes() {
    return (long) size() * floatsPerImage();
  }
}
