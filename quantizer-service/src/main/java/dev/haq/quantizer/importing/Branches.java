package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.quantizer.onnx.Nodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The nodes of a node's branches as if they stood beside it, under names of their own, so that what
 * they compute can be inferred and counted like all else. Always of the same names, and never run.
 */
final class Branches {
  private static final String PREFIX = "haq/branch/";

  private final List<NodeProto> written = new ArrayList<>();
  private final String prefix;

  private Branches(NodeProto node) {
    this.prefix = PREFIX + node.getName() + "/";
  }

  /** In topological order where the branches are; none of a node without branches. */
  static List<NodeProto> of(NodeProto node) {
    if (!hasBranches(node)) {
      return List.of();
    }
    Branches branches = new Branches(node);
    branches.chosen(node, name -> name);
    return branches.written;
  }

  /** Before every node those of its branches, from which it then only chooses. */
  static List<NodeProto> writtenOut(List<NodeProto> nodes) {
    List<NodeProto> all = new ArrayList<>();
    for (NodeProto node : nodes) {
      if (hasBranches(node)) {
        Branches branches = new Branches(node);
        NodeProto.Builder chosen = branches.chosen(node, name -> name);
        all.addAll(branches.written);
        all.add(chosen.build());
      } else {
        all.add(node);
      }
    }
    return all;
  }

  private static boolean hasBranches(NodeProto node) {
    return node.getAttributeList().stream().anyMatch(AttributeProto::hasG);
  }

  /** Whether a tensor is of a node that is written out here. */
  static boolean isInner(String tensor) {
    return tensor.startsWith(PREFIX);
  }

  /** The node, once its branches are written out; what it reads is named by {@code outer}. */
  private NodeProto.Builder chosen(NodeProto node, UnaryOperator<String> outer) {
    NodeProto.Builder chosen = node.toBuilder().clearInput();
    node.getInputList().forEach(input -> chosen.addInput(outer.apply(input)));
    for (AttributeProto.Builder attribute : chosen.getAttributeBuilderList()) {
      if (attribute.hasG()) {
        attribute.setG(write(attribute.getG(), outer));
      }
    }
    return chosen;
  }

  /** Answers a branch that has the same outputs. */
  private GraphProto write(GraphProto graph, UnaryOperator<String> outer) {
    Map<String, String> own = new HashMap<>();
    UnaryOperator<String> names = name -> own.containsKey(name) ? own.get(name) : outer.apply(name);
    for (TensorProto tensor : graph.getInitializerList()) {
      AttributeProto.Builder value =
          AttributeProto.newBuilder().setName("value").setType(AttributeType.TENSOR).setT(tensor);
      add(Nodes.node("Constant", List.of(), tensor.getName()).addAttribute(value), own);
    }
    for (SparseTensorProto sparse : graph.getSparseInitializerList()) {
      AttributeProto.Builder value =
          AttributeProto.newBuilder()
              .setName("sparse_value")
              .setType(AttributeType.SPARSE_TENSOR)
              .setSparseTensor(sparse);
      String name = sparse.getValues().getName();
      add(Nodes.node("Constant", List.of(), name).addAttribute(value), own);
    }
    graph.getNodeList().forEach(node -> add(chosen(node, names), own));
    GraphProto.Builder outputs = GraphProto.newBuilder().setName(graph.getName());
    for (ValueInfoProto output : graph.getOutputList()) {
      String name = prefix + "output" + outputs.getNodeCount();
      outputs.addNode(Nodes.node("Identity", List.of(names.apply(output.getName())), name));
      outputs.addOutput(output.toBuilder().setName(name));
    }
    return outputs.build();
  }

  /** Gives a node a name, which ends as it is called in the file, and outputs of its own. */
  private void add(NodeProto.Builder node, Map<String, String> own) {
    String name = prefix + written.size();
    String known = node.getName();
    known = known.substring(0, Math.min(known.length(), GraphDraft.LONGEST_NAME));
    for (int i = 0; i < node.getOutputCount(); i++) {
      String output = node.getOutput(i);
      if (!output.isEmpty()) {
        own.put(output, name + "/" + i);
        node.setOutput(i, name + "/" + i);
      }
    }
    written.add(node.setName(name + "/" + known).build());
  }
}
