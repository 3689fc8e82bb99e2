package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.CodedInput;
import dev.haq.quantizer.onnx.Ort;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Images given to a network as the codes that its first layer reads. Where they are kept as bytes,
 * a byte's code is looked up: what normalisation and quantization make of it is the same in every
 * image.
 */
final class CodedImages implements Images {
  private final Images images;
  private final CodedInput input;
  private final byte[][] codes; // [channel][byte]; none where images are not kept as bytes

  CodedImages(Images images, CodedInput input) {
    this.images = images;
    this.input = input;
    this.codes = images instanceof OfBytes ofBytes ? codes(ofBytes.byteValues(), input) : null;
  }

  private static byte[][] codes(float[][] values, CodedInput input) {
    byte[][] codes = new byte[values.length][256];
    for (int c = 0; c < values.length; c++) {
      for (int value = 0; value < 256; value++) {
        codes[c][value] = input.code(values[c][value]);
      }
    }
    return codes;
  }

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
    return new Codes(graph, size);
  }

  /** One thread's buffer of codes, [image][height][width][channels]. */
  private final class Codes implements InputBatch {
    private final int channels;
    private final int height;
    private final int width;
    private final byte[] coded;
    private final byte[] bytes;
    private final float[] values;
    private final ByteBuffer buffer;

    Codes(CnnGraph graph, int size) {
      this.channels = graph.inputShape().get(0);
      this.height = graph.inputShape().get(1);
      this.width = graph.inputShape().get(2);
      this.coded = new byte[height * width * input.channels()];
      this.bytes = new byte[codes == null ? 0 : graph.inputValues()];
      this.values = new float[codes == null ? graph.inputValues() : 0];
      this.buffer = ByteBuffer.allocateDirect(size * coded.length);
      Arrays.fill(coded, input.code(0));
    }

    @Override
    public OnnxTensor tensor(int first, int count) throws OrtException {
      buffer.clear();
      for (int i = 0; i < count; i++) {
        code(first + i);
        buffer.put(coded);
      }
      buffer.flip();
      long[] dims = {count, height, width, input.channels()};
      return OnnxTensor.createTensor(Ort.environment(), buffer, dims, OnnxJavaType.UINT8);
    }

    private void code(int image) {
      int area = height * width;
      int stored = input.channels();
      if (codes == null) {
        images.read(image, values, 0);
      } else {
        ((OfBytes) images).readBytes(image, bytes);
      }
      for (int c = 0; c < channels; c++) {
        if (codes == null) {
          for (int i = 0; i < area; i++) {
            coded[i * stored + c] = input.code(values[c * area + i]);
          }
        } else {
          byte[] ofChannel = codes[c];
          for (int i = 0; i < area; i++) {
            coded[i * stored + c] = ofChannel[bytes[c * area + i] & 0xFF];
          }
        }
      }
    }
  }
}
