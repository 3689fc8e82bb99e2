package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes every constant a named tensor, wherever the exporter put it: Constant nodes, Identity of
 * constants, and whatever else reads constants alone ({@link ComputedConstants}). Identity and
 * Dropout of computed tensors are taken out (Dropout does nothing at inference), unless a subgraph
 * reads what they write.
 */
final class ConstantFolding {
  private final GraphDraft draft;
  private final Map<String, String> aliases = new HashMap<>();
  private final Set<String> kept =
      new HashSet<>(); // names that others but the nodes themselves read

  private ConstantFolding(GraphDraft draft) {
    this.draft = draft;
  }

  /**
   * @throws dev.haq.model.HaqException TOO_LARGE, UNSUPPORTED_OPERATOR or INVALID_MODEL
   */
  static void apply(GraphDraft draft) {
    new ConstantFolding(draft).run();
    ConstantBytes.requireFew(draft);
    ComputedConstants.apply(draft);
  }

  private void run() {
    kept.add(draft.output);
    draft.nodes.forEach(node -> kept.addAll(Nodes.captures(node)));
    List<NodeProto> nodes = new ArrayList<>();
    for (NodeProto original : draft.nodes) {
      NodeProto node = renameInputs(original);
      Optional<TensorProto> constant = fold(node);
      if (constant.isPresent()) {
        String name = node.getOutput(0);
        draft.constants.put(name, Tensors.renamed(constant.get(), name));
      } else if (passesThrough(node) && !kept.contains(node.getOutput(0))) {
        aliases.put(node.getOutput(0), node.getInput(0));
      } else {
        nodes.add(node);
      }
    }
    draft.nodes.clear();
    draft.nodes.addAll(nodes);
  }

  private NodeProto renameInputs(NodeProto node) {
    if (node.getInputList().stream().noneMatch(aliases::containsKey)) {
      return node;
    }
    NodeProto.Builder renamed = node.toBuilder().clearInput();
    node.getInputList().forEach(name -> renamed.addInput(aliases.getOrDefault(name, name)));
    return renamed.build();
  }

  private static boolean passesThrough(NodeProto node) {
    return Nodes.is(node, "Identity") || (Nodes.is(node, "Dropout") && inference(node));
  }

  private static boolean inference(NodeProto dropout) {
    return Nodes.input(dropout, 2).isEmpty()
        && dropout.getOutputList().stream().skip(1).allMatch(String::isEmpty);
  }

  private Optional<TensorProto> fold(NodeProto node) {
    if (Nodes.is(node, "Constant")) {
      return constant(node);
    }
    return Nodes.is(node, "Identity")
        ? Optional.ofNullable(draft.constants.get(node.getInput(0)))
        : Optional.empty();
  }

  /** The value of a Constant node; empty where it is of no kind that is read here. */
  static Optional<TensorProto> constant(NodeProto node) {
    for (AttributeProto attribute : node.getAttributeList()) {
      Optional<TensorProto> tensor =
          switch (attribute.getName()) {
            case "value" -> Optional.of(attribute.getT());
            case "value_float" -> Optional.of(Tensors.of("", new float[] {attribute.getF()}));
            case "value_int" -> Optional.of(Tensors.of("", new long[] {attribute.getI()}));
            case "value_ints" -> Optional.of(vector(attribute.getIntsList()));
            case "value_floats" -> Optional.of(floatVector(attribute.getFloatsList()));
            default -> Optional.empty();
          };
      if (tensor.isPresent()) {
        return tensor;
      }
    }
    return Optional.empty();
  }

  private static TensorProto vector(List<Long> values) {
    return Tensors.of("", values.stream().mapToLong(Long::longValue).toArray(), values.size());
  }

  private static TensorProto floatVector(List<Float> values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i);
    }
    return Tensors.of("", floats, floats.length);
  }
}
