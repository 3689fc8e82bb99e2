package dev.haq.wire;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An array of NumPy's {@code .npy} format (versions 1 to 3): little-endian int64 or float64 in C
 * order, which is how cost tables are published, [layer][w-1][a-1].
 *
 * @param shape lengths, outermost first
 * @param values row-major; an int64 beyond 2^53 is refused, so that every value is exact
 * @param type what the file holds them as
 */
public record NpyFile(List<Integer> shape, double[] values, Type type) {
  /** A file's type of values. */
  public enum Type {
    INT64("<i8"),
    FLOAT64("<f8");

    private final String descr;

    Type(String descr) {
      this.descr = descr;
    }
  }

  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int ALIGNMENT = 64;
  private static final double EXACT = 0x1p53;
  private static final double MAX_ELEMENTS = 1 << 27; // 1 GiB
  private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
  private static final Pattern ORDER = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
  private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([0-9,\\s]*)\\)");

  public NpyFile {
    shape = List.copyOf(shape);
    if (elements(shape) != values.length) {
      throw HaqException.invalid(
          "an array of shape %s cannot have %d values", shape, values.length);
    }
  }

  /** An array of float64. */
  public NpyFile(List<Integer> shape, double[] values) {
    this(shape, values, Type.FLOAT64);
  }

  /**
   * Reads an array.
   *
   * @param origin the file's name, for messages
   */
  public static NpyFile parse(String origin, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[MAGIC.length];
    if (bytes.length < 12) {
      throw HaqException.invalid("%s is no .npy file: it has only %d bytes", origin, bytes.length);
    }
    in.get(magic);
    if (!Arrays.equals(magic, MAGIC)) {
      throw HaqException.invalid("%s is no .npy file: it does not begin with \\x93NUMPY", origin);
    }
    int version = in.get();
    in.get(); // minor version
    if (version < 1 || version > 3) {
      throw HaqException.invalid("%s: .npy version %d is not known, use 1 to 3", origin, version);
    }
    long headerLength =
        version == 1 ? Short.toUnsignedInt(in.getShort()) : Integer.toUnsignedLong(in.getInt());
    if (headerLength > in.remaining()) {
      throw HaqException.invalid("%s: the .npy file is cut off within its header", origin);
    }
    byte[] header = new byte[(int) headerLength];
    in.get(header);
    return values(origin, new String(header, StandardCharsets.UTF_8), in);
  }

  private static NpyFile values(String origin, String header, ByteBuffer in) {
    if (!find(origin, ORDER, header, "fortran_order").equals("False")) {
      throw HaqException.invalid(
          "%s is in Fortran order: save numpy.ascontiguousarray(table)", origin);
    }
    Type type = type(origin, find(origin, DESCR, header, "descr"));
    List<Integer> shape = shape(origin, find(origin, SHAPE, header, "shape"));
    long elements = elements(shape);
    if (elements * Long.BYTES != in.remaining()) {
      throw HaqException.invalid(
          "%s: shape %s needs %d bytes of values, the file has %d",
          origin, shape, elements * Long.BYTES, in.remaining());
    }
    double[] values = new double[(int) elements];
    for (int i = 0; i < values.length; i++) {
      if (type == Type.INT64) {
        long value = in.getLong();
        if (Math.abs((double) value) > EXACT) {
          throw HaqException.invalid("%s: value %d is %d, beyond 2^53", origin, i, value);
        }
        values[i] = value;
      } else {
        values[i] = in.getDouble();
      }
    }
    return new NpyFile(shape, values, type);
  }

  private static Type type(String origin, String descr) {
    return Arrays.stream(Type.values())
        .filter(type -> type.descr.equals(descr))
        .findFirst()
        .orElseThrow(
            () ->
                HaqException.invalid(
                    "%s holds values of type '%s': save it as int64 or float64, little-endian",
                    origin, descr));
  }

  private static String find(String origin, Pattern pattern, String header, String key) {
    Matcher matcher = pattern.matcher(header);
    if (!matcher.find()) {
      throw HaqException.invalid("%s: the .npy header has no readable '%s'", origin, key);
    }
    return matcher.group(1);
  }

  private static List<Integer> shape(String origin, String text) {
    List<Integer> shape = new ArrayList<>();
    for (String length : text.split(",", -1)) {
      if (!length.isBlank()) {
        try {
          shape.add(Integer.parseInt(length.trim()));
        } catch (NumberFormatException e) {
          throw new HaqException(
              Reason.INVALID_ARGUMENT,
              "%s: the .npy header has a length of %s".formatted(origin, length.trim()),
              e);
        }
      }
    }
    return shape;
  }

  /** How many values a shape has; -1 when they would not fit an array. */
  private static long elements(List<Integer> shape) {
    double elements = 1;
    for (int length : shape) {
      elements *= length;
    }
    return elements < 0 || elements > MAX_ELEMENTS ? -1 : (long) elements;
  }

  /** The file's bytes with values of type int64; every value must be a whole number. */
  public byte[] toInt64() {
    byte[] file = begin(Type.INT64);
    ByteBuffer out = body(file);
    for (double value : values) {
      if (value != Math.rint(value) || Math.abs(value) > EXACT) {
        throw HaqException.invalid("%s is not a whole number up to 2^53: write float64", value);
      }
      out.putLong((long) value);
    }
    return file;
  }

  /** The file's bytes with values of type float64. */
  public byte[] toFloat64() {
    byte[] file = begin(Type.FLOAT64);
    ByteBuffer out = body(file);
    for (double value : values) {
      out.putDouble(value);
    }
    return file;
  }

  /** A file of the right length with its header in place. */
  private byte[] begin(Type as) {
    StringBuilder lengths = new StringBuilder();
    for (int i = 0; i < shape.size(); i++) {
      lengths.append(i == 0 ? "" : ", ").append(shape.get(i));
    }
    if (shape.size() == 1) {
      lengths.append(',');
    }
    String dictionary =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }".formatted(as.descr, lengths);
    int prefix = MAGIC.length + 2 + Short.BYTES;
    int unpadded = prefix + dictionary.length() + 1;
    int padding = (ALIGNMENT - unpadded % ALIGNMENT) % ALIGNMENT;
    String header = dictionary + " ".repeat(padding) + "\n";
    byte[] file = new byte[prefix + header.length() + values.length * Long.BYTES];
    ByteBuffer.wrap(file)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(MAGIC)
        .put((byte) 1)
        .put((byte) 0)
        .putShort((short) header.length())
        .put(header.getBytes(StandardCharsets.US_ASCII));
    return file;
  }

  private ByteBuffer body(byte[] file) {
    int length = values.length * Long.BYTES;
    return ByteBuffer.wrap(file, file.length - length, length).order(ByteOrder.LITTLE_ENDIAN);
  }
}
