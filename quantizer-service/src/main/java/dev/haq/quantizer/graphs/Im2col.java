package dev.haq.quantizer.graphs;

import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.Window;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.quant.IntegerLayer;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes a convolution's input as the patches that its weights are multiplied with, gathered of
 * slices.
 */
final class Im2col {
  /**
   * Gathering patches costs a copy for each pixel of the kernel; with fewer channels the
   * floating-point convolution is faster. Measured on ResNet-20 (AVX2; patches by Gather, which
   * slices are about as fast as), gathered against floating: 16 channels 110 against 80 us, 32
   * channels 42 against 57, 64 channels 27 against 52.
   */
  private static final int FEWEST_CHANNELS = 32;

  /** The same where weights are unsigned, whose products take twice as long. */
  private static final int FEWEST_CHANNELS_UNSIGNED = 64;

  /**
   * Copies of the input, each shifted otherwise, that patches are put together of; each is an
   * operator of the written graph, and opening takes longer with each. Kernels of up to 8x8 pixels.
   */
  private static final int MOST_SHIFTS = 64;

  /** Of one image's patches: the largest tensor that a model is let have, as floats. */
  private static final long MOST_BYTES = 128L << 20;

  private final GraphBuilder builder;
  private final ByteCodes codes;
  private final boolean fastGroups;

  Im2col(GraphBuilder builder, ByteCodes codes, boolean fastGroups) {
    this.builder = builder;
    this.codes = codes;
    this.fastGroups = fastGroups;
  }

  /**
   * Whether the layer should be gathered.
   *
   * @param channels of an input pixel as it is stored
   */
  boolean suits(Layer.Conv2d layer, IntegerLayer integers, int channels) {
    return layer.groups() == 1
        && layer.inputs() >= fewestChannels(integers)
        && isSmall(layer, channels);
  }

  private int fewestChannels(IntegerLayer integers) {
    if (fastGroups) {
      return 1;
    }
    return codes.signedPaddedWeights(integers) ? FEWEST_CHANNELS : FEWEST_CHANNELS_UNSIGNED;
  }

  private boolean isSmall(Layer.Conv2d layer, int channels) {
    PixelGroup group = group(layer, channels);
    Window w = layer.window();
    long groups = layer.output().pixels() / group.pixels();
    long perGroup = (long) w.kernelHeight() * group.columns(w);
    try {
      return perGroup / group.block() <= MOST_SHIFTS
          && Math.multiplyExact(groups, perGroup * channels) <= MOST_BYTES;
    } catch (ArithmeticException e) {
      return false;
    }
  }

  /** The output pixels that have a patch together. */
  PixelGroup group(Layer.Conv2d layer, int channels) {
    return fastGroups ? PixelGroup.forGathering(layer, channels) : PixelGroup.ONE;
  }

  /**
   * What every group of output pixels sees, [batch, height, groups, kernel * channels]: for each
   * block of the kernel the padded input as it is seen through that block, side by side.
   */
  String patches(
      Layer.Conv2d layer,
      LinearQuantizer activations,
      String input,
      int channels,
      PixelGroup group) {
    Window w = layer.window();
    FeatureMap out = layer.output();
    int block = group.block();
    int blocksOfPatch = group.columns(w) / block;
    int groups = out.width() / group.pixels();
    int step = w.strideWidth() * group.pixels() / block;
    String blocks = inBlocks(layer, activations, input, channels, group);
    List<String> seen = new ArrayList<>();
    for (int i = 0; i < w.kernelHeight(); i++) {
      for (int j = 0; j < blocksOfPatch; j++) {
        int row = i * w.dilationHeight();
        int column = j * w.dilationWidth();
        int lastRow = row + (out.height() - 1) * w.strideHeight();
        int lastColumn = column + (groups - 1) * step;
        seen.add(
            builder.op(
                "Slice",
                List.of(
                    blocks,
                    builder.longs("starts", row, column),
                    builder.longs("ends", lastRow + 1L, lastColumn + 1L),
                    builder.longs("axes", 1, 2),
                    builder.longs("steps", w.strideHeight(), step))));
      }
    }
    String patches = builder.fresh("Concat");
    builder.add(Nodes.node("Concat", seen, patches).addAttribute(Nodes.integer("axis", 3)));
    return patches;
  }

  /** The padded input, [batch, height, blocks, block * channels]. */
  private String inBlocks(
      Layer.Conv2d layer,
      LinearQuantizer activations,
      String input,
      int channels,
      PixelGroup group) {
    Window w = layer.window();
    int block = group.block();
    int width = layer.input().width();
    int groups = layer.output().width() / group.pixels();
    int seenWidth =
        block == 1 ? 0 : (groups - 1) * w.strideWidth() * group.pixels() + group.columns(w);
    int paddedWidth = Math.max(width + w.padLeft() + w.padRight(), seenWidth);
    paddedWidth = (paddedWidth + block - 1) / block * block;
    int padRight = paddedWidth - width - w.padLeft();
    String padded =
        builder.op(
            "Pad",
            List.of(
                input,
                builder.longs("pads", 0, w.padTop(), w.padLeft(), 0, 0, w.padBottom(), padRight, 0),
                builder.unsignedByte("zero", ByteCodes.zeroPoint(activations))));
    if (block == 1) {
      return padded;
    }
    int height = layer.input().height() + w.padTop() + w.padBottom();
    return builder.op(
        "Reshape",
        List.of(
            padded,
            builder.longs("shape", 0, height, paddedWidth / block, (long) block * channels)));
  }
}
