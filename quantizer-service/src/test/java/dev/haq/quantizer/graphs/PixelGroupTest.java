package dev.haq.quantizer.graphs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.AttributeProto;
import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A plain convolution judges those that compute several pixels as one. */
final class PixelGroupTest {
  private static final int STORED_INPUTS = 4;
  private static final int STORED_OUTPUTS = 6;

  @Test
  void aGroupedConvolutionIsThePlainOne() {
    Random random = new Random(7);
    int compared = 0;
    for (int kernel : new int[] {1, 2, 3, 5}) {
      for (int stride : new int[] {1, 2, 3}) {
        for (int[] pads : new int[][] {{0, 0}, {0, 1}, {1, 1}, {2, 0}}) {
          int width = 24;
          int out = (width + pads[0] + pads[1] - kernel) / stride + 1;
          Window window =
              new Window(kernel, kernel, stride, stride, 1, 1, pads[0], pads[0], pads[1], pads[1]);
          Layer.Conv2d layer = layer(3, 5, window, width, out);
          byte[] codes = new byte[5 * 3 * kernel * kernel];
          random.nextBytes(codes);
          byte[] image = image(random, width);
          int[] expected =
              convolved(
                  image, STORED_INPUTS, width, width, plain(layer, codes), layer, PixelGroup.ONE);
          for (int pixels : new int[] {1, 2, 4}) {
            for (int block : new int[] {1, 2, 4}) {
              if (out % pixels == 0 && pixels * stride % block == 0 && width % block == 0) {
                int shift = (block - pads[0] % block) % block;
                PixelGroup group = new PixelGroup(pixels, block, shift);
                byte[] weights =
                    group.overBlocks(
                        group.weights(codes, layer, STORED_INPUTS, STORED_OUTPUTS),
                        STORED_INPUTS,
                        window);
                assertArrayEquals(
                    expected,
                    convolved(
                        image, STORED_INPUTS * block, width, width / block, weights, layer, group),
                    () -> group + " of " + layer);
                compared++;
              }
            }
          }
        }
      }
    }
    assertTrue(compared > 100);
  }

  @Test
  void fewChannelsAreGroupedAndManyAreNot() {
    Window window = Window.square(3, 1, 1);
    assertTrue(PixelGroup.forConvolution(layer(16, 16, window, 32, 32), 16).pixels() > 1);
    assertEquals(PixelGroup.ONE, PixelGroup.forConvolution(layer(256, 256, window, 14, 14), 256));
    assertTrue(PixelGroup.forGathering(layer(16, 16, window, 32, 32), 16).block() > 1);
    assertEquals(PixelGroup.ONE, PixelGroup.forGathering(layer(256, 256, window, 14, 14), 256));
  }

  private static Layer.Conv2d layer(int inputs, int outputs, Window window, int in, int out) {
    return new Layer.Conv2d(
        "layer", inputs, outputs, 1, window, FeatureMap.square(in), FeatureMap.square(out), 0);
  }

  private static byte[] plain(Layer layer, byte[] codes) {
    return PixelGroup.ONE.weights(codes, layer, STORED_INPUTS, STORED_OUTPUTS);
  }

  /** [height][width][STORED_INPUTS], garbage in the channels that are not the layer's. */
  private static byte[] image(Random random, int side) {
    byte[] image = new byte[side * side * STORED_INPUTS];
    random.nextBytes(image);
    return image;
  }

  /** Channels last, by the definition; [height][width][channels] of the input as it is seen. */
  private static int[] convolved(
      byte[] image,
      int channels,
      int height,
      int width,
      byte[] weights,
      Layer layer,
      PixelGroup group) {
    Map<String, List<Long>> window =
        group.window(layer).stream()
            .collect(Collectors.toMap(AttributeProto::getName, AttributeProto::getIntsList));
    int kernelHeight = window.get("kernel_shape").get(0).intValue();
    int kernelWidth = window.get("kernel_shape").get(1).intValue();
    List<Long> strides = window.get("strides");
    List<Long> pads = window.get("pads");
    int outputs = group.pixels() * STORED_OUTPUTS;
    int outHeight =
        (int) ((height + pads.get(0) + pads.get(2) - kernelHeight) / strides.get(0) + 1);
    int outWidth = (int) ((width + pads.get(1) + pads.get(3) - kernelWidth) / strides.get(1) + 1);
    int[] result = new int[outHeight * outWidth * outputs];
    for (int at = 0; at < result.length; at++) {
      int o = at % outputs;
      long left = at / outputs % outWidth * strides.get(1) - pads.get(1);
      long top = at / outputs / outWidth * strides.get(0) - pads.get(0);
      for (int c = 0; c < channels; c++) {
        for (int i = 0; i < kernelHeight; i++) {
          for (int j = 0; j < kernelWidth; j++) {
            long y = top + i;
            long x = left + j;
            if (y >= 0 && y < height && x >= 0 && x < width) {
              result[at] +=
                  image[(int) (y * width + x) * channels + c]
                      * weights[((o * channels + c) * kernelHeight + i) * kernelWidth + j];
            }
          }
        }
      }
    }
    return result;
  }
}
