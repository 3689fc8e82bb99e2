package dev.haq.quantizer.quant;

import dev.haq.model.FeatureMap;
import dev.haq.model.Layer;
import dev.haq.model.Window;

/**
 * What the single output values of a layer are computed from (im2col): for each the inputs under
 * the kernel, zeros beyond the border, in the order of the layer's weights.
 */
public final class Patches {
  private final int channels;
  private final Window window;
  private final FeatureMap input;
  private final FeatureMap output;
  private final boolean convolution;
  private final int groups;

  public Patches(Layer layer) {
    channels = layer.inputs();
    convolution = !(layer instanceof Layer.Linear);
    if (layer instanceof Layer.Conv2d conv) {
      window = conv.window();
      input = conv.input();
      output = conv.output();
      groups = conv.groups();
    } else if (layer instanceof Layer.DepthwiseConv2d conv) {
      window = conv.window();
      input = conv.input();
      output = conv.output();
      groups = conv.inputs();
    } else {
      window = Window.square(1, 1, 0);
      input = new FeatureMap(((Layer.Linear) layer).rows(), 1);
      output = input;
      groups = 1;
    }
  }

  /** How many output values a channel has, each with a patch of its own. */
  public int count() {
    return Math.toIntExact(output.pixels());
  }

  public int groups() {
    return groups;
  }

  public int kernelArea() {
    return window.kernelArea();
  }

  /** Weights of an output. */
  public int perOutput() {
    return channels / groups * kernelArea();
  }

  /** Values of a patch, all groups together. */
  public int size() {
    return channels * kernelArea();
  }

  /** Whether a patch holds neither NaN nor infinity, which sums over patches would be lost in. */
  static boolean isFinite(float[] patch) {
    for (float value : patch) {
      if (!Float.isFinite(value)) {
        return false;
      }
    }
    return true;
  }

  /**
   * @param image what the layer reads of one image: [channels][height][width], or [rows][inputs] of
   *     a fully connected layer
   * @param index of the output value, row by row
   * @param patch [groups][channels of a group][kernel], to be filled
   */
  public void read(float[] image, int index, float[] patch) {
    if (!convolution) {
      System.arraycopy(image, index * channels, patch, 0, channels);
      return;
    }
    int top = index / output.width() * window.strideHeight() - window.padTop();
    int left = index % output.width() * window.strideWidth() - window.padLeft();
    int next = 0;
    for (int c = 0; c < channels; c++) {
      int plane = c * input.height() * input.width();
      for (int i = 0; i < window.kernelHeight(); i++) {
        int y = top + i * window.dilationHeight();
        for (int j = 0; j < window.kernelWidth(); j++) {
          int x = left + j * window.dilationWidth();
          boolean inside = y >= 0 && y < input.height() && x >= 0 && x < input.width();
          patch[next++] = inside ? image[plane + y * input.width() + x] : 0;
        }
      }
    }
  }
}
