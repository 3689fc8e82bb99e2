package dev.haq.wire;

import dev.haq.model.FeatureMap;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Window;
import dev.haq.proto.model.v1.Conv2d;
import dev.haq.proto.model.v1.DepthwiseConv2d;
import dev.haq.proto.model.v1.Linear;

/** Networks, their layers and the geometry of these. */
public final class NetworkWire {
  private NetworkWire() {}

  public static dev.haq.proto.model.v1.Network toProto(Network network) {
    dev.haq.proto.model.v1.Network.Builder message =
        dev.haq.proto.model.v1.Network.newBuilder()
            .setModelId(network.modelId())
            .setName(network.name())
            .setOtherParameters(network.otherParameters());
    network.layers().forEach(layer -> message.addLayers(toProto(layer)));
    return message.build();
  }

  public static Network fromProto(dev.haq.proto.model.v1.Network message) {
    if (message.getOtherParameters() < 0) {
      throw HaqException.invalid(
          "network.other_parameters %d must not be negative", message.getOtherParameters());
    }
    return new Network(
        message.getModelId(),
        message.getName().isEmpty() ? "network" : message.getName(),
        message.getLayersList().stream().map(NetworkWire::fromProto).toList(),
        message.getOtherParameters());
  }

  public static dev.haq.proto.model.v1.Layer toProto(Layer layer) {
    dev.haq.proto.model.v1.Layer.Builder message =
        dev.haq.proto.model.v1.Layer.newBuilder()
            .setName(layer.name())
            .setFloatParameters(layer.floatParameters())
            .setWeights(layer.weights())
            .setMacs(layer.macs());
    if (layer instanceof Layer.Conv2d conv) {
      message.setConv2D(
          Conv2d.newBuilder()
              .setInputChannels(conv.inputs())
              .setOutputChannels(conv.outputs())
              .setGroups(conv.groups())
              .setWindow(toProto(conv.window()))
              .setInput(toProto(conv.input()))
              .setOutput(toProto(conv.output())));
    } else if (layer instanceof Layer.DepthwiseConv2d depthwise) {
      message.setDepthwiseConv2D(
          DepthwiseConv2d.newBuilder()
              .setInputChannels(depthwise.inputs())
              .setOutputChannels(depthwise.outputs())
              .setWindow(toProto(depthwise.window()))
              .setInput(toProto(depthwise.input()))
              .setOutput(toProto(depthwise.output())));
    } else if (layer instanceof Layer.Linear linear) {
      message.setLinear(
          Linear.newBuilder()
              .setInputUnits(linear.inputs())
              .setOutputUnits(linear.outputs())
              .setRows(linear.rows()));
    }
    return message.build();
  }

  public static Layer fromProto(dev.haq.proto.model.v1.Layer message) {
    String name = message.getName();
    try {
      return switch (message.getKindCase()) {
        case CONV2D -> {
          Conv2d conv = message.getConv2D();
          yield Layer.convolution(
              name,
              conv.getInputChannels(),
              conv.getOutputChannels(),
              orOne(conv.getGroups()),
              fromProto(conv.getWindow()),
              fromProto(conv.getInput()),
              fromProto(conv.getOutput()),
              message.getFloatParameters());
        }
        case DEPTHWISE_CONV2D -> {
          DepthwiseConv2d depthwise = message.getDepthwiseConv2D();
          yield new Layer.DepthwiseConv2d(
              name,
              depthwise.getInputChannels(),
              depthwise.getOutputChannels(),
              fromProto(depthwise.getWindow()),
              fromProto(depthwise.getInput()),
              fromProto(depthwise.getOutput()),
              message.getFloatParameters());
        }
        case LINEAR -> {
          Linear linear = message.getLinear();
          yield new Layer.Linear(
              name,
              linear.getInputUnits(),
              linear.getOutputUnits(),
              orOne(linear.getRows()),
              message.getFloatParameters());
        }
        case KIND_NOT_SET ->
            throw HaqException.invalid("it has no kind: give conv2d, depthwise_conv2d or linear");
      };
    } catch (HaqException e) {
      throw new HaqException(e.reason(), "network layer '" + name + "': " + e.getMessage(), e);
    }
  }

  private static dev.haq.proto.model.v1.Window toProto(Window window) {
    return dev.haq.proto.model.v1.Window.newBuilder()
        .setKernelHeight(window.kernelHeight())
        .setKernelWidth(window.kernelWidth())
        .setStrideHeight(window.strideHeight())
        .setStrideWidth(window.strideWidth())
        .setDilationHeight(window.dilationHeight())
        .setDilationWidth(window.dilationWidth())
        .setPadTop(window.padTop())
        .setPadLeft(window.padLeft())
        .setPadBottom(window.padBottom())
        .setPadRight(window.padRight())
        .build();
  }

  private static Window fromProto(dev.haq.proto.model.v1.Window message) {
    return new Window(
        message.getKernelHeight(),
        message.getKernelWidth(),
        message.getStrideHeight(),
        message.getStrideWidth(),
        orOne(message.getDilationHeight()),
        orOne(message.getDilationWidth()),
        message.getPadTop(),
        message.getPadLeft(),
        message.getPadBottom(),
        message.getPadRight());
  }

  private static dev.haq.proto.model.v1.FeatureMap toProto(FeatureMap map) {
    return dev.haq.proto.model.v1.FeatureMap.newBuilder()
        .setHeight(map.height())
        .setWidth(map.width())
        .build();
  }

  private static FeatureMap fromProto(dev.haq.proto.model.v1.FeatureMap message) {
    return new FeatureMap(message.getHeight(), message.getWidth());
  }

  private static int orOne(int value) {
    return value == 0 ? 1 : value;
  }
}
