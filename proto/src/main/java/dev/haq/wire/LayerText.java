package dev.haq.wire;

import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.Window;
import java.util.Locale;

/** A layer's geometry in one word or two. */
public final class LayerText {
  private LayerText() {}

  /** Such as {@code conv 3x3 16->32}, {@code dw 3x3 64}, {@code linear 128->10}. */
  public static String kind(Layer layer) {
    return switch (layer.getKindCase()) {
      case CONV2D ->
          String.format(
              Locale.ROOT,
              "conv %s %d->%d",
              kernel(layer.getConv2D().getWindow()),
              layer.getConv2D().getInputChannels(),
              layer.getConv2D().getOutputChannels());
      case DEPTHWISE_CONV2D ->
          String.format(
              Locale.ROOT,
              "dw %s %d",
              kernel(layer.getDepthwiseConv2D().getWindow()),
              layer.getDepthwiseConv2D().getOutputChannels());
      case LINEAR ->
          String.format(
              Locale.ROOT,
              "linear %d->%d",
              layer.getLinear().getInputUnits(),
              layer.getLinear().getOutputUnits());
      case KIND_NOT_SET -> "?";
    };
  }

  private static String kernel(Window window) {
    return window.getKernelHeight() + "x" + window.getKernelWidth();
  }
}
