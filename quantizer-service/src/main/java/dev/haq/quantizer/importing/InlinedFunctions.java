package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.Nodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes a model's own functions out where they are called, as the ONNX specification says (IR,
 * "Functions"): layers within them are then found like all others. {@link GraphLimits} has seen to
 * it that no function calls itself.
 */
final class InlinedFunctions {
  /** Of names in memory, together. A hundredth of it is usual. */
  private static final long MOST_NAME_BYTES = 1 << 26;

  /** Of a name besides its characters. */
  private static final int NAME_BYTES = 56;

  /** Nodes of a function are called after its caller up to this length. */
  private static final int LONGEST_NAME = 256;

  private final Map<String, FunctionProto> functions = new HashMap<>();
  private final ModelProto.Builder model;
  private final Set<String> domains = new HashSet<>();
  private final long opset;
  private int nodes;
  private int calls;
  private long nameBytes;
  private long bytes;

  private InlinedFunctions(ModelProto model) {
    this.model = model.toBuilder();
    this.opset = OnnxReader.opset(model);
    model.getFunctionsList().forEach(function -> functions.put(key(function), function));
    model.getOpsetImportList().forEach(set -> domains.add(set.getDomain()));
  }

  /**
   * @return the model without functions
   * @throws HaqException UNSUPPORTED_OPERATOR, TOO_LARGE
   */
  static ModelProto apply(ModelProto model) {
    return model.getFunctionsCount() == 0 ? model : new InlinedFunctions(model).run();
  }

  /** What a function is called by. */
  static String key(FunctionProto function) {
    return key(function.getDomain(), function.getName(), function.getOverload());
  }

  /** The function that a node would call. */
  static String key(NodeProto node) {
    return key(node.getDomain(), node.getOpType(), node.getOverload());
  }

  private static String key(String domain, String name, String overload) {
    String plain = (domain.equals("ai.onnx") ? "" : domain) + ":" + name;
    return overload.isEmpty() ? plain : plain + ":" + overload;
  }

  private ModelProto run() {
    GraphProto graph = inlined(model.getGraph());
    return model.clearFunctions().setGraph(graph).build();
  }

  private GraphProto inlined(GraphProto graph) {
    List<NodeProto> nodes = new ArrayList<>();
    graph.getNodeList().forEach(node -> inline(node, nodes));
    return graph.toBuilder().clearNode().addAllNode(nodes).build();
  }

  private void inline(NodeProto node, List<NodeProto> written) {
    if (++nodes > GraphLimits.MOST_NODES) { // graphs that are given as attributes multiply as well
      throw tooLarge();
    }
    FunctionProto function = functions.get(key(node));
    if (function != null) {
      write(function, node, written);
      return;
    }
    boolean hasGraphs =
        node.getAttributeList().stream().anyMatch(a -> a.hasG() || a.getGraphsCount() > 0);
    if (!hasGraphs) {
      written.add(node);
      return;
    }
    NodeProto.Builder changed = node.toBuilder();
    for (AttributeProto.Builder attribute : changed.getAttributeBuilderList()) {
      if (attribute.hasG()) {
        attribute.setG(inlined(attribute.getG()));
      }
      for (int i = 0; i < attribute.getGraphsCount(); i++) {
        attribute.setGraphs(i, inlined(attribute.getGraphs(i)));
      }
    }
    written.add(changed.build());
  }

  private void write(FunctionProto function, NodeProto call, List<NodeProto> written) {
    takeOperatorSets(function);
    Call scope = new Call(function, call, "haq/call/" + calls++ + "/");
    for (NodeProto node : function.getNodeList()) {
      inline(scope.node(node), written);
    }
    for (int i = 0; i < Math.min(function.getOutputCount(), call.getOutputCount()); i++) {
      String output = scope.name(function.getOutput(i));
      if (!output.equals(call.getOutput(i)) && !call.getOutput(i).isEmpty()) {
        written.add(Nodes.node("Identity", List.of(output), call.getOutput(i)).build());
      }
    }
  }

  private void takeOperatorSets(FunctionProto function) {
    for (OperatorSetIdProto set : function.getOpsetImportList()) {
      boolean standard = set.getDomain().isEmpty() || set.getDomain().equals("ai.onnx");
      if (standard && set.getVersion() != opset) {
        throw new HaqException(
            Reason.UNSUPPORTED_OPERATOR,
            "the model's function '%s' is of operator set %d, the model of %d: export it with inlined functions (onnx.inliner)"
                .formatted(key(function), set.getVersion(), opset));
      }
      if (!standard && domains.add(set.getDomain())) {
        model.addOpsetImport(set);
      }
    }
  }

  private String counted(String name) {
    nameBytes += NAME_BYTES + name.length();
    if (nameBytes > MOST_NAME_BYTES) {
      throw tooLarge();
    }
    return name;
  }

  private NodeProto counted(NodeProto node) {
    bytes += node.getSerializedSize();
    if (bytes > OnnxReader.LARGEST_FILE_BYTES) {
      throw tooLarge();
    }
    return node;
  }

  private static HaqException tooLarge() {
    return new HaqException(
        Reason.TOO_LARGE,
        "the model's functions come to more than is taken where they are called: export it with inlined functions");
  }

  /** One call: names and attributes of the function as those of the caller. */
  private final class Call {
    private final NodeProto caller;
    private final String prefix;
    private final Map<String, String> actual = new HashMap<>();
    private final Map<String, AttributeProto> given = new HashMap<>();

    Call(FunctionProto function, NodeProto caller, String prefix) {
      this.caller = caller;
      this.prefix = prefix;
      for (int i = 0; i < function.getInputCount(); i++) {
        actual.put(function.getInput(i), Nodes.input(caller, i));
      }
      for (int i = 0; i < function.getOutputCount(); i++) {
        String output = i < caller.getOutputCount() ? caller.getOutput(i) : "";
        if (!output.isEmpty()) {
          actual.putIfAbsent(function.getOutput(i), output);
        }
      }
      function.getAttributeProtoList().forEach(a -> given.put(a.getName(), a));
      caller.getAttributeList().forEach(a -> given.put(a.getName(), a));
    }

    /** A tensor of the function; none for an input that the caller leaves out. */
    String name(String own) {
      return own.isEmpty() ? "" : counted(actual.getOrDefault(own, prefix + own));
    }

    NodeProto node(NodeProto own) {
      NodeProto.Builder node = own.toBuilder().clearInput().clearOutput().clearAttribute();
      own.getInputList().forEach(input -> node.addInput(name(input)));
      own.getOutputList().forEach(output -> node.addOutput(name(output)));
      own.getAttributeList().forEach(a -> attribute(a).ifPresent(node::addAttribute));
      String inner = own.getName().isEmpty() ? own.getOpType() : own.getName();
      String name = caller.getName() + "/" + inner;
      boolean usual = !caller.getName().isEmpty() && name.length() <= LONGEST_NAME;
      return counted(node.setName(counted(usual ? name : prefix + own.getOpType())).build());
    }

    private Optional<AttributeProto> attribute(AttributeProto own) {
      if (!own.getRefAttrName().isEmpty()) {
        return Optional.ofNullable(given.get(own.getRefAttrName()))
            .map(value -> value.toBuilder().setName(own.getName()).build());
      }
      if (!own.hasG() && own.getGraphsCount() == 0) {
        return Optional.of(own);
      }
      AttributeProto.Builder attribute = own.toBuilder().clearGraphs();
      own.getGraphsList().forEach(graph -> attribute.addGraphs(graph(graph)));
      return Optional.of((own.hasG() ? attribute.setG(graph(own.getG())) : attribute).build());
    }

    /** A branch within the function; it has its names from it. */
    private GraphProto graph(GraphProto own) {
      GraphProto.Builder graph = own.toBuilder().clearNode().clearValueInfo();
      own.getNodeList().forEach(node -> graph.addNode(node(node)));
      for (TensorProto.Builder tensor : graph.getInitializerBuilderList()) {
        tensor.setName(name(tensor.getName()));
      }
      for (SparseTensorProto.Builder sparse : graph.getSparseInitializerBuilderList()) {
        sparse.getValuesBuilder().setName(name(sparse.getValues().getName()));
      }
      for (ValueInfoProto.Builder input : graph.getInputBuilderList()) {
        input.setName(name(input.getName()));
      }
      for (ValueInfoProto.Builder output : graph.getOutputBuilderList()) {
        output.setName(name(output.getName()));
      }
      return graph.build();
    }
  }
}
