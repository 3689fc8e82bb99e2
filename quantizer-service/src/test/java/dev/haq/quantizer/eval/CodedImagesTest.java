package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.haq.model.BitWidth;
import dev.haq.quantizer.graphs.CodedInput;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CodedImagesTest {
  private static final int SIDE = 5;
  private static final int AREA = SIDE * SIDE;
  private static final int COUNT = 3;
  private static final CnnGraph GRAPH = graph();

  private static CnnGraph graph() {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    return model
        .imported(model.gemm(model.pooled(model.conv("image", 3, 4, 3, 1, 1)), 4, 2))
        .graph();
  }

  /** Images of random bytes, a channel's byte b standing for (b - 100 - channel) / 50. */
  private record ByteImages() implements Images.OfBytes {
    @Override
    public float[][] byteValues() {
      float[][] values = new float[3][256];
      for (int c = 0; c < values.length; c++) {
        for (int b = 0; b < 256; b++) {
          values[c][b] = (b - 100 - c) / 50f;
        }
      }
      return values;
    }

    @Override
    public void readBytes(int image, byte[] target) {
      new Random(image).nextBytes(target);
    }

    @Override
    public int size() {
      return COUNT;
    }

    @Override
    public int label(int image) {
      return 0;
    }

    @Override
    public void read(int image, float[] target, int offset) {
      byte[] bytes = new byte[3 * AREA];
      readBytes(image, bytes);
      for (int i = 0; i < bytes.length; i++) {
        target[offset + i] = byteValues()[i / AREA][bytes[i] & 0xFF];
      }
    }
  }

  /** The same images, not known to be kept as bytes. */
  private static Images asFloats(Images images) {
    return new Images() {
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
    };
  }

  private static byte[] codes(Images images, CodedInput input) throws OrtException {
    InputBatch batch = new CodedImages(images, input).batch(GRAPH, COUNT);
    try (OnnxTensor tensor = batch.tensor(0, COUNT)) {
      assertArrayEquals(
          new long[] {COUNT, SIDE, SIDE, input.channels()}, tensor.getInfo().getShape());
      byte[] codes = new byte[COUNT * AREA * input.channels()];
      tensor.getByteBuffer().get(codes);
      return codes;
    }
  }

  @Test
  void everyPixelHoldsItsColoursCodesAndThenZeros() throws OrtException {
    LinearQuantizer quantizer = LinearQuantizer.symmetric(BitWidth.of(6), 2.5);
    int zero = -quantizer.lowest();
    CodedInput input = new CodedInput(quantizer, 4);
    Images images = new ByteImages();
    byte[] codes = codes(images, input);
    float[] values = new float[3 * AREA];
    for (int image = 0; image < COUNT; image++) {
      images.read(image, values, 0);
      for (int i = 0; i < AREA; i++) {
        int pixel = (image * AREA + i) * 4;
        for (int c = 0; c < 3; c++) {
          assertEquals(quantizer.code(values[c * AREA + i]), (codes[pixel + c] & 0xFF) - zero);
        }
        assertEquals(zero, codes[pixel + 3] & 0xFF);
      }
    }
  }

  @Test
  void imagesKeptAsBytesAndImagesComputedAsFloatsHaveTheSameCodes() throws OrtException {
    for (LinearQuantizer quantizer :
        new LinearQuantizer[] {
          LinearQuantizer.symmetric(BitWidth.of(8), 3), LinearQuantizer.unsigned(BitWidth.of(4), 2)
        }) {
      CodedInput input = new CodedInput(quantizer, 4);
      assertArrayEquals(codes(asFloats(new ByteImages()), input), codes(new ByteImages(), input));
    }
  }
}
