package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.AttributeProto;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.Nodes;
import java.util.List;

/**
 * Neighbouring output pixels of a row computed as one pixel of as many times the outputs, by a
 * kernel that is as much wider as they see of the input together; and neighbouring input pixels
 * read as one of as many times the channels. Where the kernel does not reach, weights are zero, so
 * that the products are the same. With channels last the pixels lie in memory as they did.
 *
 * <p>It pays where a layer has few channels: registers of 512 bits hold 16 sums, several of them
 * are needed to keep the multipliers busy, and each piece of the input costs a little by itself.
 *
 * @param pixels computed as one, a divisor of the output's width
 * @param block input pixels that are read as one
 * @param shift columns that the kernel is widened by on the left, so that blocks start where it
 *     does
 */
record PixelGroup(int pixels, int block, int shift) {
  static final PixelGroup ONE = new PixelGroup(1, 1, 0);

  private static final int[] SIZES = {1, 2, 4, 8};

  /** Outputs that a register of 512 bits holds the sums of. */
  private static final int LANES = 16;

  /** Outputs that the convolution kernel computes at once. */
  private static final int MOST_OUTPUTS = 64;

  /** Input channels multiplied at once. */
  private static final int CHANNELS_OF_STEP = 4;

  /**
   * Nanoseconds of a convolution for six output pixels and one input pixel: to find it, and for
   * each four channels with 16, 32, 48 and 64 outputs. Fitted (AVX-512 VNNI) to the layers of
   * ResNet-20.
   */
  private static final double FIND_NANOS = 4.5;

  private static final double[] STEP_NANOS = {1.07, 1.58, 2.4, 3.2};

  /**
   * Nanoseconds that gathering one block takes, and each of its bytes: measured on ResNet-20 (AMD
   * EPYC 9004 at 2.6 GHz, 5 and 0.1), in proportion to the rates below.
   */
  private static final double COPY_NANOS = 1.6;

  private static final double COPY_NANOS_OF_BYTE = 0.05;

  /** Products of a matrix multiplication a nanosecond, with 16, 32, 48 and 64 outputs or more. */
  private static final double[] PRODUCTS_PER_NANO = {190, 326, 345, 360};

  /** Another grouping than none must promise this much, as the estimates are rough. */
  private static final double WORTHWHILE = 0.95;

  /**
   * The fastest grouping for a convolution that walks over its input itself.
   *
   * @param channels of an input pixel as it is stored
   */
  static PixelGroup forConvolution(Layer.Conv2d layer, int channels) {
    PixelGroup best = ONE;
    double bestCost = WORTHWHILE * convolutionCost(layer, channels, ONE);
    for (int pixels : SIZES) {
      for (int block : SIZES) {
        int shift = (block - layer.window().padLeft() % block) % block;
        PixelGroup group = new PixelGroup(pixels, block, shift);
        if (group.fits(layer)
            && layer.input().width() % block == 0
            && pixels * layer.outputs() <= MOST_OUTPUTS
            && convolutionCost(layer, channels, group) < bestCost) {
          best = group;
          bestCost = convolutionCost(layer, channels, group);
        }
      }
    }
    return best;
  }

  private static double convolutionCost(Layer.Conv2d layer, int channels, PixelGroup group) {
    int outputs = Math.min(MOST_OUTPUTS, group.pixels * layer.outputs());
    double step = STEP_NANOS[(outputs + LANES - 1) / LANES - 1];
    double steps = (double) channels * group.block / CHANNELS_OF_STEP;
    int found = group.columns(layer.window()) / group.block;
    return found * (FIND_NANOS + steps * step) / group.pixels;
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
        PixelGroup group = new PixelGroup(pixels, block, 0);
        if (group.fits(layer) && gatheringCost(layer, channels, group) < bestCost) {
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
    double copy = COPY_NANOS + COPY_NANOS_OF_BYTE * group.block * channels;
    double copying = copy * columns / group.block;
    double products = (double) columns * channels * outputs / PRODUCTS_PER_NANO[lanes - 1];
    return (copying + products) / group.pixels;
  }

  private boolean fits(Layer.Conv2d layer) {
    return (pixels == 1 && block == 1)
        || (layer.window().dilationWidth() == 1
            && layer.output().width() % pixels == 0
            && (pixels * layer.window().strideWidth()) % block == 0);
  }

  /** Width of the kernel: input columns that the pixels see together, in whole blocks. */
  int columns(Window window) {
    int seen = shift + window.kernelWidth() + window.strideWidth() * (pixels - 1);
    return (seen + block - 1) / block * block;
  }

  /** The attributes of the wider convolution, its widths counted in blocks. */
  List<AttributeProto> window(Layer layer) {
    Window w = GraphNode.window(layer);
    int columns = columns(w) / block;
    int step = w.strideWidth() * pixels / block;
    int padLeft = (w.padLeft() + shift) / block;
    int padRight = w.padRight();
    if (layer instanceof Layer.Conv2d conv && !equals(ONE)) {
      int seen = (conv.output().width() / pixels - 1) * step + columns;
      padRight = Math.max(0, seen - conv.input().width() / block - padLeft);
    }
    return List.of(
        Nodes.ints("kernel_shape", w.kernelHeight(), columns),
        Nodes.ints("strides", w.strideHeight(), step),
        Nodes.ints("dilations", w.dilationHeight(), w.dilationWidth()),
        Nodes.ints("pads", w.padTop(), padLeft, w.padBottom(), padRight));
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
    Window w = GraphNode.window(layer);
    int inputs = codes.length / layer.outputs() / w.kernelArea();
    int columns = columns(w);
    int perOutput = storedInputs * w.kernelHeight() * columns;
    byte[] wide = new byte[pixels * storedOutputs * perOutput];
    if (equals(ONE)) {
      int own = codes.length / layer.outputs();
      for (int o = 0; o < layer.outputs(); o++) {
        System.arraycopy(codes, o * own, wide, o * perOutput, own);
      }
      return wide;
    }
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
                    + shift
                    + p * w.strideWidth(),
                w.kernelWidth());
          }
        }
      }
    }
    return wide;
  }

  /**
   * Weights as a convolution over blocks wants them: [outputs][block * channels][kernel height]
   * [columns / block] from [outputs][channels][kernel height][columns].
   */
  byte[] overBlocks(byte[] weights, int channels, Window w) {
    if (block == 1) {
      return weights;
    }
    int columns = columns(w);
    int blocks = columns / block;
    int rows = w.kernelHeight();
    byte[] turned = new byte[weights.length];
    for (int i = 0; i < weights.length; i++) {
      int column = i % columns;
      int row = i / columns % rows;
      int channel = i / columns / rows % channels;
      int output = i / columns / rows / channels;
      int blockChannel = column % block * channels + channel;
      turned[((output * block * channels + blockChannel) * rows + row) * blocks + column / block] =
          weights[i];
    }
    return turned;
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
