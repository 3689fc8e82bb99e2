package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Finds out how many channels an input has that leaves them open, from the weights of the first
 * convolution that reads it.
 */
final class OpenChannels {
  /** Operators between an input and its convolution that keep the channels where they are. */
  private static final Set<String> KEEPERS =
      Set.of("Identity", "Cast", "Pad", "Add", "Sub", "Mul", "Div");

  private static final int[] TO_CHANNELS_FIRST = {0, 3, 1, 2};

  private final GraphProto graph;
  private final Map<String, TensorProto> constants = new HashMap<>();

  private OpenChannels(GraphProto graph) {
    this.graph = graph;
    graph.getInitializerList().forEach(tensor -> constants.put(tensor.getName(), tensor));
  }

  /** A tensor that holds the image, and where its channels are. */
  private record Image(String tensor, int axis) {}

  static ModelProto apply(ModelProto model) {
    OpenChannels open = new OpenChannels(model.getGraph());
    for (int i = 0; i < model.getGraph().getInputCount(); i++) {
      ValueInfoProto input = model.getGraph().getInput(i);
      TensorShapeProto shape = input.getType().getTensorType().getShape();
      if (shape.getDimCount() == 4 && !open.constants.containsKey(input.getName())) {
        for (int axis : new int[] {1, 3}) {
          boolean isOpen = shape.getDim(axis).getDimValue() < 1;
          long channels = isOpen ? open.channels(new Image(input.getName(), axis)) : 0;
          if (channels > 0) {
            ModelProto.Builder stated = model.toBuilder();
            ValueInfoProto.Builder known = stated.getGraphBuilder().getInputBuilder(i);
            known
                .getTypeBuilder()
                .getTensorTypeBuilder()
                .getShapeBuilder()
                .getDimBuilder(axis)
                .setDimValue(channels);
            return stated.build();
          }
        }
      }
    }
    return model;
  }

  /** 0 where no convolution tells. */
  private long channels(Image input) {
    Deque<Image> open = new ArrayDeque<>(Set.of(input));
    Set<Image> seen = new HashSet<>(open);
    while (!open.isEmpty()) {
      Image image = open.poll();
      for (NodeProto node : graph.getNodeList()) {
        if (node.getOutputCount() == 0 || !node.getInputList().contains(image.tensor())) {
          continue;
        }
        TensorProto weights = constants.get(Nodes.input(node, 1));
        if (image.axis() == 1
            && Nodes.is(node, "Conv")
            && weights != null
            && weights.getDimsCount() == 4) {
          return weights.getDims(1) * Nodes.integer(node, "group", 1);
        }
        boolean turns =
            Nodes.is(node, "Transpose")
                && Arrays.equals(Nodes.ints(node, "perm"), TO_CHANNELS_FIRST);
        if (turns && image.axis() == 3) {
          add(new Image(node.getOutput(0), 1), open, seen);
        } else if (Nodes.is(node, node.getOpType()) && KEEPERS.contains(node.getOpType())) {
          add(new Image(node.getOutput(0), image.axis()), open, seen);
        }
      }
    }
    return 0;
  }

  private static void add(Image image, Deque<Image> open, Set<Image> seen) {
    if (seen.add(image)) {
      open.add(image);
    }
  }
}
