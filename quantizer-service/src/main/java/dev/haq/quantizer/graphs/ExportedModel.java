package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.quantizer.onnx.ChannelsFirstInput;
import dev.haq.quantizer.onnx.CnnGraph;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Makes a written graph a file for others: the input that the model came with, only the operator
 * sets it uses, an IR version that the readers of these know, an output with a type, and properties
 * that say what it is.
 */
public final class ExportedModel {
  /** Read by everything that reads operator set 13 at all. */
  private static final long OLDEST_IR = 8;

  private ExportedModel() {}

  /**
   * @param graph that the model was written from
   * @param opset least version of the standard operators
   * @param properties of the model, such as its policy
   */
  public static ModelProto of(
      ModelProto model, CnnGraph graph, long opset, Map<String, String> properties) {
    ModelProto.Builder file = model.toBuilder().clearOpsetImport();
    long version = Math.max(opset, graph.opset());
    file.setIrVersion(irVersion(version, graph.irVersion()));
    file.addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(version));
    TreeSet<String> domains = new TreeSet<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      domains.add(node.getDomain());
    }
    domains.removeAll(List.of("", "ai.onnx"));
    for (String domain : domains) {
      file.addOpsetImport(
          OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version(graph, domain)));
    }
    file.getGraphBuilder().clearOutput().addOutput(output(graph));
    properties.forEach(
        (key, value) ->
            file.addMetadataProps(StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
    return withOwnInput(file.build(), graph);
  }

  /**
   * A written model with the input of the model that it was written from: channels last where that
   * has them so.
   */
  public static ModelProto withOwnInput(ModelProto written, CnnGraph graph) {
    return graph
        .channelsLastInput()
        .map(last -> ChannelsFirstInput.undone(written, graph.input(), last))
        .orElse(written);
  }

  /** Such a model with channels first, as the network is run here. */
  public static ModelProto asRun(ModelProto file, CnnGraph graph) {
    return graph.channelsLastInput().isPresent() ? ChannelsFirstInput.apply(file) : file;
  }

  private static long version(CnnGraph graph, String domain) {
    return graph.operatorSets().stream()
        .filter(o -> o.getDomain().equals(domain))
        .mapToLong(OperatorSetIdProto::getVersion)
        .findFirst()
        .orElse(1);
  }

  /** The oldest in which the operator set may appear (ONNX, docs/Versioning.md). */
  private static long irVersion(long opset, long own) {
    if (opset <= 18) {
      return OLDEST_IR;
    }
    if (opset <= 20) {
      return 9;
    }
    return opset <= 22 ? 10 : Math.max(11, own);
  }

  private static ValueInfoProto output(CnnGraph graph) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    List<Integer> sizes = graph.shapes().get(graph.output());
    for (int d = 0; d < sizes.size(); d++) {
      TensorShapeProto.Dimension.Builder dim = shape.addDimBuilder();
      if (d == 0 && !graph.fixedBatch()) {
        dim.setDimParam("batch");
      } else {
        dim.setDimValue(sizes.get(d));
      }
    }
    return ValueInfoProto.newBuilder()
        .setName(graph.output())
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder()
                        .setElemType(DataType.FLOAT.getNumber())
                        .setShape(shape)))
        .build();
  }
}
