package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import java.util.List;

/**
 * Neighbouring output pixels of a row computed as one pixel of as many times the outputs, by a
 * kernel that is as much wider as they see of the input together. Where the kernel does not reach,
 * weights are zero, so that the products are the same. With channels last the result lies in memory
 * as that of the plain convolution does.
 *
 * <p>It pays where a layer has few outputs: registers of 512 bits hold 16 sums, four of them are
 * needed to keep the multipliers busy, and gathered patches are copied in fewer and longer pieces.
 *
 * @param pixels computed as one, a divisor of the output's width
 * @param block input pixels that are gathered as one; 1 where the layer gathers nothing
 */
record PixelGroup(int pixels, int block) {
  static final PixelGroup ONE = new PixelGroup(1, 1);

  private static final int[] SIZES = {1, 2, 4, 8};

  /** Outputs that a register of 512 bits holds the sums of. */
  private static final int LANES = 16;

  /** Outputs that the convolution kernel computes at once. */
  private static final int MOST_OUTPUTS = 64;

  /**
   * Relative time of multiplying one pixel's four input channels with 16, 32, 48 and 64 outputs:
   * with few outputs it waits for the sums before. Measured (AVX-512 VNNI) on the three sizes of
   * layers of ResNet-20.
   */
  private static final double[] STEP = {2.2, 2.25, 2.9, 3.6};

  /** Nanoseconds that gathering one block takes, whatever its size up to 128 bytes. */
  private static final double COPY_NANOS = 2.7;

  /** Products of a matrix multiplication a nanosecond, with 16, 32, 48 and 64 outputs or more. */
  private static final double[] PRODUCTS_PER_NANO = {190, 310, 360, 400};

  /** Another grouping than none must promise this much, as the estimates are rough. */
  private static final double WORTHWHILE = 0.95;

  /** The fastest grouping for a convolution that walks over its input itself. */
  static PixelGroup forConvolution(Layer.Conv2d layer) {
    PixelGroup best = ONE;
    double bestCost = WORTHWHILE * convolutionCost(layer, ONE);
    for (int pixels : SIZES) {
      PixelGroup group = new PixelGroup(pixels, 1);
      if (pixels > 1
          && group.fits(layer)
          && pixels * layer.outputs() <= MOST_OUTPUTS
          && convolutionCost(layer, group) < bestCost) {
        best = group;
        bestCost = convolutionCost(layer, group);
      }
    }
    return best;
  }

  private static double convolutionCost(Layer.Conv2d layer, PixelGroup group) {
    int lanes = (group.pixels * layer.outputs() + LANES - 1) / LANES;
    double step = lanes <= STEP.length ? STEP[lanes - 1] : STEP[STEP.length - 1] * lanes / 4;
    return step * group.columns(layer.window()) / group.pixels;
  }

  /**
   * The fastest grouping for gathering patches and multiplying them as matrices.
   *
   * @param channels of an input pixel as it is stored
   */
  static PixelGroup forGathering(Layer.Conv2d layer, int channels) {
    PixelGroup best = ONE;
    double bestCost = WORTHWHILE * gatheringCost(layer, channels, ONE);
    for (int pixels : SIZES) {
      for (int block : SIZES) {
        PixelGroup group = new PixelGroup(pixels, block);
        if (group.fits(layer)
            && (pixels * layer.window().strideWidth()) % block == 0
            && gatheringCost(layer, channels, group) < bestCost) {
          best = group;
          bestCost = gatheringCost(layer, channels, group);
        }
      }
    }
    return best;
  }

  /** Nanoseconds for each output pixel and row of the kernel. */
  private static double gatheringCost(Layer.Conv2d layer, int channels, PixelGroup group) {
    int columns = group.columns(layer.window());
    int outputs = group.pixels * layer.outputs();
    int lanes = Math.min(PRODUCTS_PER_NANO.length, (outputs + LANES - 1) / LANES);
    double copying = COPY_NANOS * columns / group.block;
    double products = (double) columns * channels * outputs / PRODUCTS_PER_NANO[lanes - 1];
    return (copying + products) / group.pixels;
  }

  private boolean fits(Layer.Conv2d layer) {
    return (pixels == 1 && block == 1)
        || (layer.window().dilationWidth() == 1 && layer.output().width() % pixels == 0);
  }

  /** Width of the kernel: input columns that the pixels see together, in whole blocks. */
  int columns(Window window) {
    int seen = window.kernelWidth() + window.strideWidth() * (pixels - 1);
    return (seen + block - 1) / block * block;
  }

  /** The attributes of the wider convolution. */
  List<AttributeProto> window(Layer layer) {
    Window w = GraphBuilder.window(layer);
    int columns = columns(w);
    int step = w.strideWidth() * pixels;
    int padRight = w.padRight();
    if (layer instanceof Layer.Conv2d conv && pixels > 1) {
      int seen = (conv.output().width() / pixels - 1) * step + columns;
      padRight = Math.max(0, seen - conv.input().width() - w.padLeft());
    }
    return List.of(
        Nodes.ints("kernel_shape", w.kernelHeight(), columns),
        Nodes.ints("strides", w.strideHeight(), step),
        Nodes.ints("dilations", w.dilationHeight(), w.dilationWidth()),
        Nodes.ints("pads", w.padTop(), w.padLeft(), w.padBottom(), padRight));
  }

  /**
   * Weights of the wider kernel.
   *
   * @param codes [outputs][inputs][kernel height][kernel width]
   * @param storedInputs channels of an input pixel as it is stored, those beyond the layer's unused
   * @param storedOutputs the same of an output pixel
   * @return [pixels][storedOutputs][storedInputs][kernel height][columns]
   */
  byte[] weights(byte[] codes, Layer layer, int storedInputs, int storedOutputs) {
    Window w = GraphBuilder.window(layer);
    int inputs = codes.length / layer.outputs() / w.kernelArea();
    int columns = columns(w);
    int perOutput = storedInputs * w.kernelHeight() * columns;
    byte[] wide = new byte[pixels * storedOutputs * perOutput];
    for (int p = 0; p < pixels; p++) {
      for (int o = 0; o < layer.outputs(); o++) {
        for (int c = 0; c < inputs; c++) {
          for (int y = 0; y < w.kernelHeight(); y++) {
            System.arraycopy(
                codes,
                ((o * inputs + c) * w.kernelHeight() + y) * w.kernelWidth(),
                wide,
                (p * storedOutputs + o) * perOutput
                    + (c * w.kernelHeight() + y) * columns
                    + p * w.strideWidth(),
                w.kernelWidth());
          }
        }
      }
    }
    return wide;
  }

  /** What is said of each output, for every stored output of every pixel; {@code rest} beyond. */
  float[] perOutput(float[] values, int storedOutputs, float rest) {
    float[] all = new float[pixels * storedOutputs];
    java.util.Arrays.fill(all, rest);
    for (int p = 0; p < pixels; p++) {
      System.arraycopy(values, 0, all, p * storedOutputs, values.length);
    }
    return all;
  }

  /** The same of whole numbers, 0 beyond. */
  int[] perOutput(int[] values, int storedOutputs) {
    int[] all = new int[pixels * storedOutputs];
    for (int p = 0; p < pixels; p++) {
      System.arraycopy(values, 0, all, p * storedOutputs, values.length);
    }
    return all;
  }
}
