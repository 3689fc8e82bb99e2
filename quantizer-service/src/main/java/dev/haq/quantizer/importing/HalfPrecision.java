package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.quantizer.onnx.Tensors;
import java.util.Set;

/**
 * Widens numbers of 16 bits (float16 and bfloat16) to 32 wherever a model has them: weights, inputs
 * and outputs, casts. Every such number is exactly a float; a model that also computed in 16 bits
 * comes out more exact than it was.
 */
final class HalfPrecision {
  private static final int FLOAT = DataType.FLOAT.getNumber();
  private static final Set<Integer> HALVES =
      Set.of(DataType.FLOAT16.getNumber(), DataType.BFLOAT16.getNumber());

  /** Attributes that name the type of a result. */
  private static final Set<String> TYPES = Set.of("to", "dtype", "output_dtype");

  private HalfPrecision() {}

  static ModelProto widened(ModelProto model) {
    if (!hasHalves(model.getGraph())) {
      return model;
    }
    ModelProto.Builder wide = model.toBuilder();
    widen(wide.getGraphBuilder());
    return wide.build();
  }

  private static boolean hasHalves(GraphProto graph) {
    return graph.getInitializerList().stream().anyMatch(HalfPrecision::isHalf)
        || graph.getInputList().stream().anyMatch(HalfPrecision::isHalf)
        || graph.getNodeList().stream().anyMatch(HalfPrecision::hasHalves);
  }

  private static boolean hasHalves(NodeProto node) {
    return node.getAttributeList().stream()
        .anyMatch(
            a ->
                isHalf(a.getT())
                    || (TYPES.contains(a.getName()) && HALVES.contains((int) a.getI()))
                    || (a.hasG() && hasHalves(a.getG())));
  }

  private static boolean isHalf(TensorProto tensor) {
    return HALVES.contains(tensor.getDataType());
  }

  private static boolean isHalf(ValueInfoProto value) {
    return HALVES.contains(value.getType().getTensorType().getElemType());
  }

  private static void widen(GraphProto.Builder graph) {
    graph.clearValueInfo();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      graph.setInitializer(i, widened(graph.getInitializer(i)));
    }
    graph.getInputBuilderList().forEach(HalfPrecision::widen);
    graph.getOutputBuilderList().forEach(HalfPrecision::widen);
    for (NodeProto.Builder node : graph.getNodeBuilderList()) {
      for (AttributeProto.Builder attribute : node.getAttributeBuilderList()) {
        if (attribute.hasT()) {
          attribute.setT(widened(attribute.getT()));
        }
        if (TYPES.contains(attribute.getName()) && HALVES.contains((int) attribute.getI())) {
          attribute.setI(FLOAT);
        }
        if (attribute.hasG()) {
          widen(attribute.getGBuilder());
        }
        attribute.getGraphsBuilderList().forEach(HalfPrecision::widen);
      }
    }
  }

  private static void widen(ValueInfoProto.Builder value) {
    if (isHalf(value.build())) {
      value.getTypeBuilder().getTensorTypeBuilder().setElemType(FLOAT);
    }
  }

  private static TensorProto widened(TensorProto tensor) {
    return isHalf(tensor)
        ? Tensors.of(tensor.getName(), Tensors.floats(tensor), Tensors.dims(tensor))
        : tensor;
  }
}
