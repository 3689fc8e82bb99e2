package dev.haq.agent.search;

import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Operand;
import dev.haq.model.Window;
import java.util.List;

/**
 * What the agent sees (paper, 3.1, equations 1 and 2): ten numbers that describe the layer, the
 * operand to be decided and the action before.
 *
 * <p>The eight numbers of the layer are min-max normalised over all layers of the network, pinned
 * ones included; a number that all layers share becomes 0. The operand's flag and the action are in
 * 0..1 as they are.
 */
public final class ObservationSpace {
  /** Numbers in an observation. */
  public static final int SIZE = 10;

  /** Of which this many describe the layer. */
  private static final int LAYER_NUMBERS = 8;

  /**
   * The action "before" the first decision: full precision, as in the reference code's first
   * episode.
   */
  public static final double FIRST_PREVIOUS_ACTION = 1;

  private final double[][] normalised; // [layer][LAYER_NUMBERS]

  public ObservationSpace(Network network) {
    List<Layer> layers = network.layers();
    normalised = new double[layers.size()][];
    for (int k = 0; k < layers.size(); k++) {
      normalised[k] = describe(k, layers.get(k));
    }
    for (int d = 0; d < LAYER_NUMBERS; d++) {
      normalise(d);
    }
  }

  /** What the agent sees before {@code decision}, having taken {@code previousAction}. */
  public Observation observe(Decision decision, double previousAction) {
    float[] values = new float[SIZE];
    double[] layer = normalised[decision.layer()];
    for (int d = 0; d < LAYER_NUMBERS; d++) {
      values[d] = (float) layer[d];
    }
    values[8] = decision.operand() == Operand.WEIGHTS ? 1 : 0;
    values[9] = (float) previousAction;
    return new Observation(values);
  }

  private static double[] describe(int k, Layer layer) {
    if (layer instanceof Layer.Conv2d conv) {
      return convolution(k, conv, conv.window(), conv.input().pixels(), 0);
    }
    if (layer instanceof Layer.DepthwiseConv2d conv) {
      return convolution(k, conv, conv.window(), conv.input().pixels(), 1);
    }
    Layer.Linear linear = (Layer.Linear) layer;
    return new double[] {
      k, linear.inputs(), linear.outputs(), 1, 0, linear.rows(), linear.weights(), 0
    };
  }

  /** Of a window that is not square, height and width by their geometric mean. */
  private static double[] convolution(
      int k, Layer layer, Window window, long pixels, int depthwise) {
    double kernel = Math.sqrt((double) window.kernelHeight() * window.kernelWidth());
    double stride = Math.sqrt((double) window.strideHeight() * window.strideWidth());
    return new double[] {
      k, layer.inputs(), layer.outputs(), kernel, stride, pixels, layer.weights(), depthwise
    };
  }

  private void normalise(int d) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (double[] layer : normalised) {
      min = Math.min(min, layer[d]);
      max = Math.max(max, layer[d]);
    }
    for (double[] layer : normalised) {
      layer[d] = max > min ? (layer[d] - min) / (max - min) : 0;
    }
  }
}
