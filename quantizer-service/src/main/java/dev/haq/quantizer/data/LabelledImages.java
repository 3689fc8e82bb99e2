package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.quantizer.eval.Images;
import java.util.Locale;

/**
 * Images ready for a network: decoded, resized and cropped once, kept as bytes on disk, normalised
 * when read. Immutable, so thread-safe.
 */
public final class LabelledImages implements Images.OfBytes {
  private final Geometry geometry;
  private final Pixels pixels;
  private final int[] indices; // [image], its place in the dataset
  private final int[] labels;
  private final String[] names;
  private final float[][] normalised; // [channel][byte value]

  LabelledImages(
      Geometry geometry,
      Pixels pixels,
      int[] indices,
      int[] labels,
      String[] names,
      Preprocessing preprocessing) {
    this.geometry = geometry;
    this.pixels = pixels;
    this.indices = indices;
    this.labels = labels;
    this.names = names;
    this.normalised = new float[geometry.channels()][256];
    for (int c = 0; c < normalised.length; c++) {
      for (int value = 0; value < 256; value++) {
        normalised[c][value] =
            (float) ((value - preprocessing.mean().get(c)) / preprocessing.std().get(c));
      }
    }
  }

  @Override
  public int size() {
    return indices.length;
  }

  /** 1 or 3. */
  public int channels() {
    return geometry.channels();
  }

  public int height() {
    return geometry.height();
  }

  public int width() {
    return geometry.width();
  }

  @Override
  public int label(int image) {
    return labels[image];
  }

  /** Normalised. */
  @Override
  public void read(int image, float[] target, int offset) {
    int area = height() * width();
    byte[] stored = new byte[geometry.bytes()];
    pixels.read(indices[image], stored, 0);
    for (int c = 0; c < channels(); c++) {
      float[] values = normalised[c];
      for (int i = c * area; i < (c + 1) * area; i++) {
        target[offset + i] = values[stored[i] & 0xFF];
      }
    }
  }

  @Override
  public void readBytes(int image, byte[] target) {
    pixels.read(indices[image], target, 0);
  }

  /** (value - mean) / std. */
  @Override
  public float[][] byteValues() {
    float[][] copy = new float[normalised.length][];
    for (int c = 0; c < copy.length; c++) {
      copy[c] = normalised[c].clone();
    }
    return copy;
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
}
