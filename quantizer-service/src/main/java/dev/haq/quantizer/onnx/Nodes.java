package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import com.google.protobuf.ByteString;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Making ONNX nodes, reading their attributes, and what they read. */
public final class Nodes {
  private Nodes() {}

  public static NodeProto.Builder node(String type, List<String> inputs, String output) {
    return NodeProto.newBuilder()
        .setOpType(type)
        .setName(output + "/" + type)
        .addAllInput(inputs)
        .addOutput(output);
  }

  public static AttributeProto ints(String name, long... values) {
    AttributeProto.Builder attribute =
        AttributeProto.newBuilder().setName(name).setType(AttributeType.INTS);
    for (long value : values) {
      attribute.addInts(value);
    }
    return attribute.build();
  }

  public static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder().setName(name).setType(AttributeType.INT).setI(value).build();
  }

  public static AttributeProto string(String name, String value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  public static Optional<AttributeProto> attribute(NodeProto node, String name) {
    return node.getAttributeList().stream().filter(a -> a.getName().equals(name)).findFirst();
  }

  public static long integer(NodeProto node, String name, long absent) {
    return attribute(node, name).map(AttributeProto::getI).orElse(absent);
  }

  public static float real(NodeProto node, String name, float absent) {
    return attribute(node, name).map(AttributeProto::getF).orElse(absent);
  }

  public static String string(NodeProto node, String name, String absent) {
    return attribute(node, name).map(a -> a.getS().toStringUtf8()).orElse(absent);
  }

  public static int[] ints(NodeProto node, String name, int... absent) {
    return attribute(node, name)
        .map(a -> a.getIntsList().stream().mapToInt(Math::toIntExact).toArray())
        .orElse(absent);
  }

  /** Whether the node is the standard operator of this type. */
  public static boolean is(NodeProto node, String type) {
    return node.getOpType().equals(type)
        && (node.getDomain().isEmpty() || node.getDomain().equals("ai.onnx"));
  }

  /** The name of the node's {@code index}-th input; empty where it is left out. */
  public static String input(NodeProto node, int index) {
    return index < node.getInputCount() ? node.getInput(index) : "";
  }

  /** What a node reads, its subgraphs included. */
  public static Set<String> reads(NodeProto node) {
    Set<String> names = captures(node);
    names.addAll(node.getInputList());
    names.remove("");
    return names;
  }

  /** What a node's subgraphs read. */
  public static Set<String> captures(NodeProto node) {
    Set<String> names = new HashSet<>();
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.hasG()) {
        attribute.getG().getNodeList().forEach(inner -> names.addAll(reads(inner)));
      }
      for (GraphProto graph : attribute.getGraphsList()) {
        graph.getNodeList().forEach(inner -> names.addAll(reads(inner)));
      }
    }
    names.remove("");
    return names;
  }
}
