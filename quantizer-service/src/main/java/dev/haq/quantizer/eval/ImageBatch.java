package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Ort;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

/** One thread's buffer of input images. */
final class ImageBatch {
  private final CnnGraph graph;
  private final float[] image;
  private final FloatBuffer buffer;

  ImageBatch(CnnGraph graph, int batchSize) {
    this.graph = graph;
    this.image = new float[graph.inputValues()];
    this.buffer =
        ByteBuffer.allocateDirect(batchSize * image.length * Float.BYTES)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
  }

  /** Images as the network's input; good until the next are read. */
  OnnxTensor read(Images images, int first, int count) throws OrtException {
    buffer.clear();
    for (int i = 0; i < count; i++) {
      images.read(first + i, image, 0);
      buffer.put(image);
    }
    buffer.flip();
    List<Integer> shape = graph.inputShape();
    long[] dims = {count, shape.get(0), shape.get(1), shape.get(2)};
    return OnnxTensor.createTensor(Ort.environment(), buffer, dims);
  }
}
