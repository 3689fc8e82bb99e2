package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

/** One thread's native buffer for a few images, used again for batch after batch. */
interface InputBatch {
  /**
   * Puts images in the buffer.
   *
   * @param count at most the size it was made for
   * @return them as a tensor on the buffer, to be closed before the next call
   */
  OnnxTensor tensor(int first, int count) throws OrtException;

  /** Images as the network takes them, in floating point. */
  final class Floats implements InputBatch {
    private final Images images;
    private final List<Integer> shape;
    private final float[] image;
    private final FloatBuffer buffer;

    Floats(Images images, CnnGraph graph, int size) {
      this.images = images;
      this.shape = graph.inputShape();
      this.image = new float[graph.inputValues()];
      this.buffer =
          ByteBuffer.allocateDirect(size * image.length * Float.BYTES)
              .order(ByteOrder.nativeOrder())
              .asFloatBuffer();
    }

    @Override
    public OnnxTensor tensor(int first, int count) throws OrtException {
      buffer.clear();
      for (int i = 0; i < count; i++) {
        images.read(first + i, image, 0);
        buffer.put(image);
      }
      buffer.flip();
      long[] dims = {count, shape.get(0), shape.get(1), shape.get(2)};
      return OnnxTensor.createTensor(Ort.environment(), buffer, dims);
    }
  }
}
