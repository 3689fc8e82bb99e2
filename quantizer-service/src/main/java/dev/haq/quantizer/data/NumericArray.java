package dev.haq.quantizer.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The head of an array of integers in a stream: what its numbers are and how many; the numbers
 * follow in the stream, the last dimension running fastest.
 *
 * @param name of the file, for messages
 * @param dims at least one, each at least 0
 * @param bytes of a number: 1, 2, 4 or 8
 * @param order of its bytes
 * @param signed whether a number may be negative
 */
record NumericArray(String name, int[] dims, int bytes, ByteOrder order, boolean signed) {
  private static final int MOST_DIMENSIONS = 5;

  /** NumPy pads its head to 64 bytes; longer ones hold nothing that is read here. */
  private static final int LONGEST_HEAD = 1 << 16;

  private static final byte[] NPY_MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([<>|=])([a-zA-Z])(\\d)'");
  private static final Pattern FORTRAN = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9L,\\s]*)\\)");

  /** Whether a file that begins so is an IDX file of bytes. */
  static boolean isIdx(byte[] head) {
    return head.length >= 4
        && head[0] == 0
        && head[1] == 0
        && head[2] == 0x08
        && head[3] >= 1
        && head[3] <= 4;
  }

  /**
   * The head of an IDX file of unsigned bytes (LeCun, <em>The MNIST database</em>): two zeros, 8,
   * the number of dimensions, then each as a big-endian integer.
   */
  static NumericArray readIdx(InputStream in, String name) throws IOException {
    byte[] magic = in.readNBytes(4);
    if (!isIdx(magic)) {
      throw ArrayImport.invalid(name + " is no IDX file of unsigned bytes");
    }
    ByteBuffer sizes = ByteBuffer.wrap(in.readNBytes(magic[3] * Integer.BYTES));
    if (sizes.remaining() < magic[3] * Integer.BYTES) {
      throw ArrayImport.invalid(name + " is cut off");
    }
    int[] dims = new int[magic[3]];
    for (int d = 0; d < dims.length; d++) {
      dims[d] = sizes.getInt();
    }
    return new NumericArray(name, dims, 1, ByteOrder.BIG_ENDIAN, false).checked();
  }

  /** The head of a NumPy file (NEP 1, versions 1.0 to 3.0). */
  static NumericArray readNpy(InputStream in, String name) throws IOException {
    byte[] magic = in.readNBytes(NPY_MAGIC.length + 2);
    if (magic.length < NPY_MAGIC.length + 2
        || !Arrays.equals(Arrays.copyOf(magic, NPY_MAGIC.length), NPY_MAGIC)) {
      throw ArrayImport.invalid(name + " is no NumPy array");
    }
    int version = magic[NPY_MAGIC.length];
    byte[] size = in.readNBytes(version == 1 ? Short.BYTES : Integer.BYTES);
    long length = 0;
    for (int i = size.length - 1; i >= 0; i--) {
      length = length << 8 | (size[i] & 0xFF);
    }
    if (version < 1 || version > 3 || length > LONGEST_HEAD) {
      throw ArrayImport.invalid(name + " has a head that is not read here: save it again");
    }
    byte[] bytes = in.readNBytes((int) length);
    if (bytes.length < length) {
      throw ArrayImport.invalid(name + " is cut off");
    }
    String head = new String(bytes, StandardCharsets.ISO_8859_1);
    Matcher descr = DESCR.matcher(head);
    Matcher fortran = FORTRAN.matcher(head);
    Matcher shape = SHAPE.matcher(head);
    if (!descr.find() || !fortran.find() || !shape.find()) {
      throw ArrayImport.invalid(name + " is no plain array of numbers: save it as one");
    }
    if (fortran.group(1).equals("True")) {
      throw ArrayImport.invalid(
          name + " lies in Fortran order: save numpy.ascontiguousarray of it");
    }
    char kind = descr.group(2).charAt(0);
    int width = Integer.parseInt(descr.group(3));
    if ((kind != 'u' && kind != 'i' && kind != 'b') || Integer.bitCount(width) != 1) {
      throw ArrayImport.invalid(
          "%s holds numbers of type %s%d, not integers: images are uint8 from 0 to 255, labels integers"
              .formatted(name, kind, width));
    }
    ByteOrder order = descr.group(1).equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    return new NumericArray(name, dims(shape.group(1), name), width, order, kind == 'i').checked();
  }

  private static int[] dims(String text, String name) {
    try {
      return Arrays.stream(text.split(","))
          .map(part -> part.replace("L", "").strip())
          .filter(part -> !part.isEmpty())
          .mapToInt(Integer::parseInt)
          .toArray();
    } catch (NumberFormatException e) {
      throw ArrayImport.invalid(name + " has the shape (" + text.strip() + "), which is too large");
    }
  }

  private NumericArray checked() {
    if (dims.length < 1 || dims.length > MOST_DIMENSIONS) {
      throw ArrayImport.invalid(name + " has " + dims.length + " dimensions");
    }
    for (int dim : dims) {
      if (dim < 0) {
        throw ArrayImport.invalid(name + " has the dimension " + Integer.toUnsignedString(dim));
      }
    }
    return this;
  }

  /** What this array is as images: [n][height][width] or the same with 1 or 3 channels last. */
  ArrayImages.Shape asImages() {
    boolean channelsLast = dims.length == 4 && (dims[3] == 1 || dims[3] == RgbImage.CHANNELS);
    if (bytes != 1 || signed || (dims.length != 3 && !channelsLast)) {
      throw ArrayImport.invalid(
          "%s is an array %s of %d-byte numbers: images are uint8 [n][height][width] or [n][height][width][3]"
              .formatted(name, Arrays.toString(dims), bytes));
    }
    long pixels = (long) dims[1] * dims[2];
    if (dims[0] < 1 || pixels < 1) {
      throw ArrayImport.invalid(name + " holds no image");
    }
    if (pixels > ImageDecoder.MAX_PIXELS || dims[0] > ImageSource.MOST_IMAGES) {
      throw ArrayImport.invalid(
          "%s holds %d images of %dx%d (height x width), more than is taken"
              .formatted(name, dims[0], dims[1], dims[2]));
    }
    return new ArrayImages.Shape(dims[0], dims[1], dims[2], channelsLast ? dims[3] : 1);
  }

  /** The numbers as labels, which follow in {@code in}. */
  int[] readLabels(InputStream in) throws IOException {
    if (dims.length > 2 || (dims.length == 2 && dims[1] != 1)) {
      throw ArrayImport.invalid(
          "%s is an array %s: labels are one integer an image"
              .formatted(name, Arrays.toString(dims)));
    }
    if (dims[0] > ImageSource.MOST_IMAGES) {
      throw ArrayImport.invalid(name + " holds more labels than is taken");
    }
    byte[] raw = in.readNBytes(dims[0] * bytes);
    if (raw.length < dims[0] * bytes) {
      throw ArrayImport.invalid(
          "%s ends after %d of the %d labels that are announced"
              .formatted(name, raw.length / bytes, dims[0]));
    }
    ByteBuffer numbers = ByteBuffer.wrap(raw).order(order);
    int[] labels = new int[dims[0]];
    for (int i = 0; i < labels.length; i++) {
      long label =
          switch (bytes) {
            case 1 -> signed ? numbers.get() : numbers.get() & 0xFF;
            case 2 -> signed ? numbers.getShort() : numbers.getShort() & 0xFFFF;
            case 4 -> signed ? numbers.getInt() : Integer.toUnsignedLong(numbers.getInt());
            default -> numbers.getLong();
          };
      if (label < 0 || label > MOST_LABEL) {
        throw ArrayImport.invalid(
            "label %d in %s is %d, not from 0 to %d".formatted(i, name, label, MOST_LABEL));
      }
      labels[i] = (int) label;
    }
    return labels;
  }

  /** No classifier tells more classes apart. */
  private static final int MOST_LABEL = 999_999;
}
