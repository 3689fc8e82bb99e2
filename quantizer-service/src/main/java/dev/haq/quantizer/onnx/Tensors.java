package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** ONNX tensors as Java arrays and back, row-major. */
public final class Tensors {
  private Tensors() {}

  public static int[] dims(TensorProto tensor) {
    int[] dims = new int[tensor.getDimsCount()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = dimension(tensor, tensor.getDims(i));
    }
    return dims;
  }

  private static int dimension(TensorProto tensor, long size) {
    if (size < 0 || size > Integer.MAX_VALUE) {
      throw invalid(tensor, "has a dimension of " + size);
    }
    return (int) size;
  }

  /** Number of values that the tensor's dimensions hold. */
  public static int elements(TensorProto tensor) {
    long elements = 1;
    boolean empty = false;
    for (long dim : tensor.getDimsList()) {
      empty |= dim == 0;
      elements *= Math.max(1, dimension(tensor, dim));
      if (elements > Integer.MAX_VALUE) {
        throw invalid(tensor, "is too large");
      }
    }
    return empty ? 0 : (int) elements;
  }

  /** What the tensor's values take in memory, however they are written down. */
  public static long bytes(TensorProto tensor) {
    long elements = elements(tensor);
    return switch (type(tensor)) {
      case COMPLEX128 -> 16 * elements;
      case INT64, UINT64, DOUBLE, COMPLEX64 -> 8 * elements;
      case FLOAT, INT32, UINT32 -> 4 * elements;
      case FLOAT16, BFLOAT16, INT16, UINT16 -> 2 * elements;
      case STRING -> tensor.getSerializedSize();
      default -> elements;
    };
  }

  public static boolean isFloat(TensorProto tensor) {
    return switch (type(tensor)) {
      case FLOAT, DOUBLE, FLOAT16, BFLOAT16 -> true;
      default -> false;
    };
  }

  /** Whether it holds numbers of 32 bits, which are what layers are computed in. */
  public static boolean isSingle(TensorProto tensor) {
    return type(tensor) == DataType.FLOAT;
  }

  private static DataType type(TensorProto tensor) {
    DataType type = DataType.forNumber(tensor.getDataType());
    return type == null ? DataType.UNDEFINED : type;
  }

  /** The values of a numeric tensor as floats. */
  public static float[] floats(TensorProto tensor) {
    int count = elements(tensor);
    DataType type = type(tensor);
    if (!tensor.getRawData().isEmpty()) {
      ByteBuffer raw = raw(tensor, count, bytesPerElement(tensor, type));
      float[] values = new float[count];
      if (type == DataType.FLOAT) {
        raw.asFloatBuffer().get(values);
        return values;
      }
      for (int i = 0; i < count; i++) {
        values[i] =
            switch (type) {
              case DOUBLE -> (float) raw.getDouble();
              case FLOAT16 -> halfToFloat(raw.getShort());
              case BFLOAT16 -> Float.intBitsToFloat(raw.getShort() << 16);
              case INT64 -> raw.getLong();
              case INT32 -> raw.getInt();
              case INT8 -> raw.get();
              case UINT8 -> raw.get() & 0xff;
              default -> throw unreadable(tensor);
            };
      }
      return values;
    }
    requireNumbers(tensor, type, count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (type) {
            case FLOAT -> tensor.getFloatData(i);
            case DOUBLE -> (float) tensor.getDoubleData(i);
            case INT64 -> tensor.getInt64Data(i);
            case FLOAT16 -> halfToFloat((short) tensor.getInt32Data(i));
            case BFLOAT16 -> Float.intBitsToFloat(tensor.getInt32Data(i) << 16);
            default -> tensor.getInt32Data(i);
          };
    }
    return values;
  }

  /** The values of an integer tensor. */
  public static long[] longs(TensorProto tensor) {
    int count = elements(tensor);
    DataType type = type(tensor);
    if (!tensor.getRawData().isEmpty()) {
      ByteBuffer raw = raw(tensor, count, bytesPerElement(tensor, type));
      long[] values = new long[count];
      for (int i = 0; i < count; i++) {
        values[i] =
            switch (type) {
              case INT64 -> raw.getLong();
              case INT32 -> raw.getInt();
              default -> throw unreadable(tensor);
            };
      }
      return values;
    }
    if (Math.max(tensor.getInt64DataCount(), tensor.getInt32DataCount()) != count) {
      throw invalid(tensor, "holds fewer values than its shape needs");
    }
    long[] values = new long[count];
    for (int i = 0; i < count; i++) {
      values[i] = type == DataType.INT64 ? tensor.getInt64Data(i) : tensor.getInt32Data(i);
    }
    return values;
  }

  /** Checks what a tensor without raw data holds. */
  private static void requireNumbers(TensorProto tensor, DataType type, int count) {
    int stored =
        switch (type) {
          case FLOAT -> tensor.getFloatDataCount();
          case DOUBLE -> tensor.getDoubleDataCount();
          case INT64 -> tensor.getInt64DataCount();
          case FLOAT16, BFLOAT16, INT32, INT8, UINT8 -> tensor.getInt32DataCount();
          default -> throw unreadable(tensor);
        };
    if (stored != count) {
      throw invalid(tensor, "holds " + stored + " values where its shape needs " + count);
    }
  }

  private static ByteBuffer raw(TensorProto tensor, int count, int bytesPerElement) {
    requireLength(tensor, (long) count * bytesPerElement);
    return tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void requireLength(TensorProto tensor, long bytes) {
    int held = tensor.getRawData().size();
    if (held != bytes) {
      throw invalid(tensor, "holds %d bytes where its shape needs %d".formatted(held, bytes));
    }
  }

  /** Checks that a tensor holds as much as its dimensions say, where its type is known. */
  public static void requireHeld(TensorProto tensor) {
    int elements = elements(tensor);
    DataType type = type(tensor);
    if (!tensor.hasRawData()) {
      switch (type) {
        case INT64, DOUBLE, FLOAT, INT32, FLOAT16, BFLOAT16, INT8, UINT8 ->
            requireNumbers(tensor, type, elements);
        default -> {}
      }
      return;
    }
    switch (type) {
      case UNDEFINED -> throw unreadable(tensor);
      case INT64, DOUBLE, FLOAT, INT32, FLOAT16, BFLOAT16, INT8, UINT8 ->
          raw(tensor, elements, bytesPerElement(tensor, type));
      case INT4, UINT4 -> requireLength(tensor, (elements + 1L) / 2); // two a byte
      default -> {}
    }
  }

  private static int bytesPerElement(TensorProto tensor, DataType type) {
    return switch (type) {
      case INT64, DOUBLE -> 8;
      case FLOAT, INT32 -> 4;
      case FLOAT16, BFLOAT16 -> 2;
      case INT8, UINT8 -> 1;
      default -> throw unreadable(tensor);
    };
  }

  /** IEEE 754 binary16 to binary32. */
  private static float halfToFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >> 10) & 0x1f;
    int mantissa = half & 0x3ff;
    if (exponent == 0) {
      float magnitude = mantissa * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    int bits = exponent == 31 ? 0x7f800000 : (exponent + 112) << 23;
    return Float.intBitsToFloat(sign | bits | (mantissa << 13));
  }

  /** A float tensor; no dimensions make a scalar. */
  public static TensorProto of(String name, float[] values, int... dims) {
    ByteBuffer bytes = buffer(values.length * Float.BYTES);
    bytes.asFloatBuffer().put(values);
    return make(name, DataType.FLOAT, UnsafeByteOperations.unsafeWrap(bytes), dims);
  }

  public static TensorProto of(String name, long[] values, int... dims) {
    ByteBuffer bytes = buffer(values.length * Long.BYTES);
    bytes.asLongBuffer().put(values);
    return make(name, DataType.INT64, UnsafeByteOperations.unsafeWrap(bytes), dims);
  }

  public static TensorProto of(String name, int[] values, int... dims) {
    ByteBuffer bytes = buffer(values.length * Integer.BYTES);
    bytes.asIntBuffer().put(values);
    return make(name, DataType.INT32, UnsafeByteOperations.unsafeWrap(bytes), dims);
  }

  /**
   * @param bytes as they lie in memory, which are not copied
   */
  public static TensorProto of(String name, DataType type, ByteBuffer bytes, int... dims) {
    return make(name, type, UnsafeByteOperations.unsafeWrap(bytes), dims);
  }

  public static TensorProto int8(String name, byte[] values, int... dims) {
    return make(name, DataType.INT8, ByteString.copyFrom(values), dims);
  }

  public static TensorProto uint8(String name, byte[] values, int... dims) {
    return make(name, DataType.UINT8, ByteString.copyFrom(values), dims);
  }

  /** Whole numbers of -8..7, two a byte, the first in the low half. */
  public static TensorProto int4(String name, byte[] values, int... dims) {
    byte[] packed = new byte[(values.length + 1) / 2];
    for (int i = 0; i < values.length; i++) {
      packed[i / 2] |= (byte) ((values[i] & 0xf) << (i % 2 * 4));
    }
    return make(name, DataType.INT4, UnsafeByteOperations.unsafeWrap(packed), dims);
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static TensorProto make(String name, DataType type, ByteString bytes, int... dims) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName(name).setDataType(type.getNumber()).setRawData(bytes);
    for (int dim : dims) {
      tensor.addDims(dim);
    }
    return tensor.build();
  }

  public static TensorProto renamed(TensorProto tensor, String name) {
    return tensor.getName().equals(name) ? tensor : tensor.toBuilder().setName(name).build();
  }

  private static HaqException unreadable(TensorProto tensor) {
    return invalid(tensor, "is of type " + typeName(tensor) + ", which is not read here");
  }

  private static String typeName(TensorProto tensor) {
    DataType type = DataType.forNumber(tensor.getDataType());
    return type == null ? "number " + tensor.getDataType() : type.name();
  }

  private static HaqException invalid(TensorProto tensor, String what) {
    return new HaqException(
        Reason.INVALID_MODEL,
        "tensor '" + tensor.getName() + "' " + what + ": export the model again");
  }

  /** [rows][columns] to [columns][rows]. */
  public static float[] transposed(float[] values, int rows, int columns) {
    float[] result = new float[values.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        result[c * rows + r] = values[r * columns + c];
      }
    }
    return result;
  }
}
