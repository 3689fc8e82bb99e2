package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.haq.quantizer.graphs.CodedInput;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Images given to a network as the codes that its first layer reads. Where they are kept as bytes,
 * a byte's code is looked up: what normalisation and quantization make of it is the same in every
 * image.
 */
record CodedImages(Images images, CodedInput input) implements Images {
  /** Colours of a pixel, and the codes stored of it, in the usual case: one word a pixel. */
  private static final int COLOURS = 3;

  private static final int WORD = Integer.BYTES;

  @Override
  public int size() {
    return images.size();
  }

  @Override
  public int label(int image) {
    return images.label(image);
  }

  @Override
  public void read(int image, float[] target, int offset) {
    images.read(image, target, offset);
  }

  @Override
  public InputBatch batch(CnnGraph graph, int size) {
    return images instanceof OfBytes bytes
            && graph.inputShape().get(0) == COLOURS
            && input.channels() == WORD
        ? new FromBytes(bytes, graph.inputShape(), size)
        : new FromFloats(graph.inputShape(), size);
  }

  /** A buffer of codes, [image][height][width][channels], and its tensors. */
  private abstract class Codes implements InputBatch {
    final int area;
    private final List<Integer> shape;
    private final ByteBuffer buffer;

    Codes(List<Integer> shape, int size) {
      this.shape = shape;
      this.area = shape.get(1) * shape.get(2);
      this.buffer =
          ByteBuffer.allocateDirect(size * area * input.channels()).order(ByteOrder.nativeOrder());
    }

    /** Appends an image's codes. */
    abstract void put(int image, ByteBuffer target);

    @Override
    public OnnxTensor tensor(int first, int count) throws OrtException {
      buffer.clear();
      for (int i = 0; i < count; i++) {
        put(first + i, buffer);
      }
      buffer.flip();
      long[] dims = {count, shape.get(1), shape.get(2), input.channels()};
      return OnnxTensor.createTensor(Ort.environment(), buffer, dims, OnnxJavaType.UINT8);
    }
  }

  /** Codes computed from the values. */
  private final class FromFloats extends Codes {
    private final int colours;
    private final float[] values;
    private final byte[] codes;

    FromFloats(List<Integer> shape, int size) {
      super(shape, size);
      this.colours = shape.get(0);
      this.values = new float[colours * area];
      this.codes = new byte[area * input.channels()];
      Arrays.fill(codes, input.code(0));
    }

    @Override
    void put(int image, ByteBuffer target) {
      images.read(image, values, 0);
      for (int c = 0; c < colours; c++) {
        for (int i = 0; i < area; i++) {
          codes[i * input.channels() + c] = input.code(values[c * area + i]);
        }
      }
      target.put(codes);
    }
  }

  /** Codes looked up, those of a pixel put together as one word. */
  private final class FromBytes extends Codes {
    private final OfBytes source;
    private final int[][] words = new int[COLOURS][256]; // the byte's code in its place
    private final byte[] bytes;
    private final int[] pixels;

    FromBytes(OfBytes source, List<Integer> shape, int size) {
      super(shape, size);
      this.source = source;
      this.bytes = new byte[COLOURS * area];
      this.pixels = new int[area];
      float[][] values = source.byteValues();
      for (int c = 0; c < COLOURS; c++) {
        for (int value = 0; value < 256; value++) {
          words[c][value] = word(input.code(values[c][value]), c);
          // No colour is left: what is stored beyond them goes with the last.
          words[c][value] |= c == COLOURS - 1 ? word(input.code(0), COLOURS) : 0;
        }
      }
    }

    private static int word(byte code, int place) {
      int shift = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? place : WORD - 1 - place;
      return (code & 0xFF) << (Byte.SIZE * shift);
    }

    @Override
    void put(int image, ByteBuffer target) {
      source.readBytes(image, bytes);
      int[] first = words[0];
      int[] second = words[1];
      int[] third = words[2];
      for (int i = 0; i < area; i++) {
        pixels[i] =
            first[bytes[i] & 0xFF]
                | second[bytes[area + i] & 0xFF]
                | third[bytes[2 * area + i] & 0xFF];
      }
      IntBuffer words = target.asIntBuffer();
      words.put(pixels);
      target.position(target.position() + area * WORD);
    }
  }
}
