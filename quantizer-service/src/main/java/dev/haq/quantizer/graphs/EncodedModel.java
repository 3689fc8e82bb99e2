package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.graphs.ClippedFloatGraph.Encoding;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Does to a floating-point model what a file of encodings beside it says, as a tool that reads both
 * does: weights are put on their grid, and whatever reads an encoded tensor reads its quantized
 * values. For checking such files; independent of how they are written.
 */
public final class EncodedModel {
  private EncodedModel() {}

  public static ModelProto apply(ModelProto model, Collection<Encoding> encodings) {
    Map<String, Encoding> byName = new HashMap<>();
    encodings.forEach(e -> byName.put(e.name(), e));
    GraphProto.Builder graph = model.getGraph().toBuilder();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      TensorProto tensor = graph.getInitializer(i);
      Encoding encoding = byName.remove(tensor.getName());
      if (encoding != null) {
        graph.setInitializer(i, quantized(tensor, encoding));
      }
    }
    List<NodeProto> nodes = new ArrayList<>();
    for (NodeProto node : graph.getNodeList()) {
      NodeProto.Builder reader = node.toBuilder();
      for (int i = 0; i < reader.getInputCount(); i++) {
        if (byName.containsKey(reader.getInput(i))) {
          reader.setInput(i, reader.getInput(i) + "/quantized");
        }
      }
      nodes.add(reader.build());
      for (String output : node.getOutputList()) {
        Encoding encoding = byName.get(output);
        if (encoding != null) {
          addSteps(graph, nodes, encoding);
        }
      }
    }
    graph.clearNode().addAllNode(nodes);
    return model.toBuilder().setGraph(graph).build();
  }

  private static void addSteps(GraphProto.Builder graph, List<NodeProto> nodes, Encoding encoding) {
    String name = encoding.name();
    graph.addInitializer(Tensors.of(name + "/scale", new float[] {encoding.scales().get(0)}));
    graph.addInitializer(Tensors.of(name + "/lowest", new float[] {encoding.lowest()}));
    graph.addInitializer(Tensors.of(name + "/highest", new float[] {encoding.highest()}));
    nodes.add(Nodes.node("Div", List.of(name, name + "/scale"), name + "/steps").build());
    nodes.add(Nodes.node("Round", List.of(name + "/steps"), name + "/rounded").build());
    nodes.add(
        Nodes.node(
                "Clip",
                List.of(name + "/rounded", name + "/lowest", name + "/highest"),
                name + "/code")
            .build());
    nodes.add(
        Nodes.node("Mul", List.of(name + "/code", name + "/scale"), name + "/quantized").build());
  }

  private static TensorProto quantized(TensorProto tensor, Encoding encoding) {
    int[] dims = Tensors.dims(tensor);
    float[] values = Tensors.floats(tensor).clone();
    int inner = 1;
    int axis = encoding.axis().orElse(0);
    for (int d = axis + 1; d < dims.length; d++) {
      inner *= dims[d];
    }
    for (int i = 0; i < values.length; i++) {
      int index = encoding.axis().isPresent() ? i / inner % dims[axis] : 0;
      float scale = encoding.scales().get(index);
      double code = Math.rint(values[i] / scale);
      values[i] = (float) Math.max(encoding.lowest(), Math.min(encoding.highest(), code)) * scale;
    }
    return Tensors.of(tensor.getName(), values, dims);
  }
}
