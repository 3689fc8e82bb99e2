package dev.haq.model;

/**
 * One quantizable layer, with the geometry that its cost depends on. Sizes are for one image.
 *
 * <p>A layer's name is its node's name in the model, unique within the network.
 */
public sealed interface Layer permits Layer.Conv2d, Layer.DepthwiseConv2d, Layer.Linear {
  String name();

  /** Input channels of a convolution, input units of a fully connected layer. */
  int inputs();

  /** Output channels or output units. */
  int outputs();

  /** Number of weights, biases not counted. */
  long weights();

  /**
   * Parameters that stay 32-bit float whatever the policy: biases and folded batch-norm scales and
   * shifts.
   */
  int floatParameters();

  /** Multiply-accumulate operations for one image. */
  long macs();

  /** Values read as activations for one image. */
  long inputValues();

  /** Values written for one image. */
  long outputValues();

  /**
   * A convolution, which is depthwise where each input channel is a group of its own, as ONNX and
   * PyTorch write one.
   */
  static Layer convolution(
      String name,
      int inputs,
      int outputs,
      int groups,
      Window window,
      FeatureMap input,
      FeatureMap output,
      int floatParameters) {
    return groups > 1 && groups == inputs
        ? new DepthwiseConv2d(name, inputs, outputs, window, input, output, floatParameters)
        : new Conv2d(name, inputs, outputs, groups, window, input, output, floatParameters);
  }

  /** A convolution over all, or a group, of the input channels. */
  record Conv2d(
      String name,
      int inputs,
      int outputs,
      int groups,
      Window window,
      FeatureMap input,
      FeatureMap output,
      int floatParameters)
      implements Layer {
    public Conv2d {
      check(name, inputs, outputs, floatParameters);
      if (groups < 1 || inputs % groups != 0 || outputs % groups != 0) {
        throw HaqException.invalid(
            "layer %s: groups %d must divide both the input channels %d and the output channels %d",
            name, groups, inputs, outputs);
      }
    }

    @Override
    public long weights() {
      return (long) outputs * (inputs / groups) * window.kernelArea();
    }

    @Override
    public long macs() {
      return weights() * output.pixels();
    }

    @Override
    public long inputValues() {
      return inputs * input.pixels();
    }

    @Override
    public long outputValues() {
      return outputs * output.pixels();
    }
  }

  /** A convolution of every channel by itself; {@code outputs} is a multiple of {@code inputs}. */
  record DepthwiseConv2d(
      String name,
      int inputs,
      int outputs,
      Window window,
      FeatureMap input,
      FeatureMap output,
      int floatParameters)
      implements Layer {
    public DepthwiseConv2d {
      check(name, inputs, outputs, floatParameters);
      if (outputs % inputs != 0) {
        throw HaqException.invalid(
            "layer %s: %d output channels are not a multiple of %d input channels",
            name, outputs, inputs);
      }
    }

    @Override
    public long weights() {
      return (long) outputs * window.kernelArea();
    }

    @Override
    public long macs() {
      return weights() * output.pixels();
    }

    @Override
    public long inputValues() {
      return inputs * input.pixels();
    }

    @Override
    public long outputValues() {
      return outputs * output.pixels();
    }
  }

  /**
   * A fully connected layer.
   *
   * @param rows how many input vectors one image has: 1 in a classifier, more where a matrix is
   *     multiplied
   */
  record Linear(String name, int inputs, int outputs, int rows, int floatParameters)
      implements Layer {
    public Linear {
      check(name, inputs, outputs, floatParameters);
      if (rows < 1) {
        throw HaqException.invalid("layer %s: rows %d must be at least 1", name, rows);
      }
    }

    @Override
    public long weights() {
      return (long) inputs * outputs;
    }

    @Override
    public long macs() {
      return weights() * rows;
    }

    @Override
    public long inputValues() {
      return (long) inputs * rows;
    }

    @Override
    public long outputValues() {
      return (long) outputs * rows;
    }
  }

  private static void check(String name, int inputs, int outputs, int floatParameters) {
    if (name == null || name.isBlank()) {
      throw HaqException.invalid("a layer has no name");
    }
    if (inputs < 1 || outputs < 1) {
      throw HaqException.invalid(
          "layer %s: inputs %d and outputs %d must be at least 1", name, inputs, outputs);
    }
    if (floatParameters < 0) {
      throw HaqException.invalid(
          "layer %s: float parameters %d must not be negative", name, floatParameters);
    }
  }
}
