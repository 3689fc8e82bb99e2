package dev.haq.quantizer.train;

import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.nn.pooling.Pool;
import dev.haq.quantizer.builtin.BuiltinShapes;
import java.util.ArrayList;
import java.util.List;

/**
 * The built-in network: a small MobileNetV1 (Howard et al., <em>MobileNets</em>, arXiv 1704.04861,
 * table 1), a 3x3 stem and nine depthwise-separable blocks, each convolution followed by batch-norm
 * and ReLU, then global average pooling and a fully connected layer: 20 quantizable layers.
 *
 * <p>Departures: widths and strides fit 32 x 32 images, and ReLU instead of ReLU6 (as the authors'
 * released models have it).
 */
final class ShapesNetwork {
  static final float BATCH_NORM_EPSILON = 1e-5f;

  private static final int STEM_CHANNELS = 16;

  /** {output channels, stride of the depthwise convolution} of each block. */
  private static final int[][] BLOCKS = {
    {24, 2}, {24, 1}, {32, 1}, {48, 2}, {48, 1}, {48, 1}, {48, 1}, {96, 2}, {96, 1}
  };

  private ShapesNetwork() {}

  /**
   * One convolution with its batch-norm and ReLU.
   *
   * @param path the start of its node names, such as {@code /features/3/pointwise}
   * @param groups {@code inputs} for a depthwise convolution, else 1
   */
  record Convolution(String path, int inputs, int outputs, int kernel, int stride, int groups) {
    int padding() {
      return kernel / 2;
    }
  }

  /** The convolutions from the image to the pooling. */
  static List<Convolution> convolutions() {
    List<Convolution> all = new ArrayList<>();
    all.add(new Convolution("/features/0", BuiltinShapes.CHANNELS, STEM_CHANNELS, 3, 1, 1));
    int channels = STEM_CHANNELS;
    for (int block = 0; block < BLOCKS.length; block++) {
      String path = "/features/" + (block + 1);
      int outputs = BLOCKS[block][0];
      int stride = BLOCKS[block][1];
      all.add(new Convolution(path + "/depthwise", channels, channels, 3, stride, channels));
      all.add(new Convolution(path + "/pointwise", channels, outputs, 1, 1, 1));
      channels = outputs;
    }
    return all;
  }

  /** Input units of the fully connected layer. */
  static int features() {
    return BLOCKS[BLOCKS.length - 1][0];
  }

  /**
   * The trainable network: [N, 3, 32, 32] to logits [N, 10]. Its parameters come in the order of
   * {@link #convolutions()}, each: weight, gamma, beta, running mean, running variance; then the
   * weight and bias of the fully connected layer.
   */
  static Block build() {
    SequentialBlock network = new SequentialBlock();
    for (Convolution convolution : convolutions()) {
      network
          .add(
              Conv2d.builder()
                  .setKernelShape(new Shape(convolution.kernel(), convolution.kernel()))
                  .optStride(new Shape(convolution.stride(), convolution.stride()))
                  .optPadding(new Shape(convolution.padding(), convolution.padding()))
                  .optGroups(convolution.groups())
                  .optBias(false)
                  .setFilters(convolution.outputs())
                  .build())
          .add(BatchNorm.builder().optEpsilon(BATCH_NORM_EPSILON).build())
          .add(Activation::relu);
    }
    return network
        .add(Pool.globalAvgPool2dBlock())
        .add(Blocks.batchFlattenBlock())
        .add(Linear.builder().setUnits(BuiltinShapes.CLASSES).build());
  }

  /** Multiply-accumulates of one image. */
  static long macs() {
    long macs = (long) features() * BuiltinShapes.CLASSES;
    int side = BuiltinShapes.SIDE;
    for (Convolution convolution : convolutions()) {
      side = (side + 2 * convolution.padding() - convolution.kernel()) / convolution.stride() + 1;
      long weights =
          (long) convolution.outputs()
              * (convolution.inputs() / convolution.groups())
              * convolution.kernel()
              * convolution.kernel();
      macs += weights * side * side;
    }
    return macs;
  }
}
