package dev.haq.quantizer.data;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Images that came as one array, such as IDX files or NumPy arrays, unpacked at import into one
 * file: a header, the labels, the pixels [images][height][width][channels]. Big-endian.
 */
final class ArrayImages implements ImageSource {
  private static final int MAGIC = 0x48_41_51_31; // "HAQ1"
  private static final int HEADER_BYTES = 5 * Integer.BYTES;

  /** What an array of images is; channels is 1 or 3. */
  record Shape(int images, int height, int width, int channels) {
    /** Of one image. */
    int bytes() {
      return height * width * channels;
    }
  }

  private final Shape shape;
  private final int[] labels;
  private final MappedRecords pixels;

  private ArrayImages(Shape shape, int[] labels, MappedRecords pixels) {
    this.shape = shape;
    this.labels = labels;
    this.pixels = pixels;
  }

  /**
   * Writes such a file.
   *
   * @param pixels holds at least the shape's bytes
   */
  static void write(Path file, Shape shape, int[] labels, InputStream pixels) throws IOException {
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), 1 << 16))) {
      out.writeInt(MAGIC);
      out.writeInt(shape.images());
      out.writeInt(shape.height());
      out.writeInt(shape.width());
      out.writeInt(shape.channels());
      for (int label : labels) {
        out.writeInt(label);
      }
      byte[] image = new byte[shape.bytes()];
      for (int i = 0; i < shape.images(); i++) {
        if (pixels.readNBytes(image, 0, image.length) < image.length) {
          throw ArrayImport.invalid(
              "the images end after " + i + " of the " + shape.images() + " that are announced");
        }
        out.write(image);
      }
    }
  }

  static ArrayImages open(Path file) throws IOException {
    try (DataInputStream in =
        new DataInputStream(new java.io.BufferedInputStream(Files.newInputStream(file)))) {
      if (in.readInt() != MAGIC) {
        throw new IOException(file + " is no file of images");
      }
      Shape shape = new Shape(in.readInt(), in.readInt(), in.readInt(), in.readInt());
      int[] labels = new int[shape.images()];
      for (int i = 0; i < labels.length; i++) {
        labels[i] = in.readInt();
      }
      long start = HEADER_BYTES + (long) Integer.BYTES * labels.length;
      return new ArrayImages(
          shape, labels, MappedRecords.open(file, start, shape.bytes(), shape.images()));
    }
  }

  @Override
  public int size() {
    return shape.images();
  }

  @Override
  public int classes() {
    return Arrays.stream(labels).max().orElse(0) + 1;
  }

  @Override
  public int label(int image) {
    return labels[image];
  }

  @Override
  public String name(int image) {
    return "image " + image;
  }

  @Override
  public RgbImage decode(int image) {
    byte[] stored = new byte[shape.bytes()];
    pixels.read(image, 0, stored, 0, stored.length);
    if (shape.channels() == RgbImage.CHANNELS) {
      return new RgbImage(shape.width(), shape.height(), stored);
    }
    byte[] rgb = new byte[RgbImage.CHANNELS * stored.length];
    for (int i = 0; i < stored.length; i++) {
      Arrays.fill(rgb, RgbImage.CHANNELS * i, RgbImage.CHANNELS * (i + 1), stored[i]);
    }
    return new RgbImage(shape.width(), shape.height(), rgb);
  }
}
