package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes every constant a named tensor, wherever the exporter put it: Constant nodes, and Identity,
 * Cast, Transpose and DequantizeLinear of constants. Identity and Dropout of computed tensors are
 * taken out (Dropout does nothing at inference).
 */
final class ConstantFolding {
  private final GraphDraft draft;
  private final Map<String, String> aliases = new HashMap<>();

  private ConstantFolding(GraphDraft draft) {
    this.draft = draft;
  }

  static void apply(GraphDraft draft) {
    new ConstantFolding(draft).run();
  }

  private void run() {
    List<NodeProto> kept = new ArrayList<>();
    for (NodeProto original : draft.nodes) {
      NodeProto node = renameInputs(original);
      Optional<TensorProto> constant = fold(node);
      if (constant.isPresent()) {
        String name = node.getOutput(0);
        draft.constants.put(name, Tensors.renamed(constant.get(), name));
      } else if (passesThrough(node) && !node.getOutput(0).equals(draft.output)) {
        aliases.put(node.getOutput(0), node.getInput(0));
      } else {
        kept.add(node);
      }
    }
    draft.nodes.clear();
    draft.nodes.addAll(kept);
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
    TensorProto input = draft.constants.get(Nodes.input(node, 0));
    if (input == null || node.getOutputCount() != 1) {
      return Optional.empty();
    }
    if (Nodes.is(node, "Identity")) {
      return Optional.of(input);
    }
    if (Nodes.is(node, "Cast") && castsToFloat(node) && Tensors.isFloat(input)) {
      return Optional.of(Tensors.of("", Tensors.floats(input), Tensors.dims(input)));
    }
    if (Nodes.is(node, "Transpose") && input.getDimsCount() == 2 && Tensors.isFloat(input)) {
      return Optional.of(transposed(node, input));
    }
    if (node.getOpType().equals("DequantizeLinear")) {
      return dequantized(node, input);
    }
    return Optional.empty();
  }

  private static Optional<TensorProto> constant(NodeProto node) {
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

  private static boolean castsToFloat(NodeProto cast) {
    return Nodes.integer(cast, "to", 0) == TensorProto.DataType.FLOAT.getNumber();
  }

  private static TensorProto transposed(NodeProto node, TensorProto input) {
    int[] order = Nodes.ints(node, "perm", 1, 0);
    if (order[0] == 0) {
      return input;
    }
    int rows = Tensors.dims(input)[0];
    int columns = Tensors.dims(input)[1];
    return Tensors.of("", transposed(Tensors.floats(input), rows, columns), columns, rows);
  }

  /** [rows][columns] to [columns][rows]. */
  static float[] transposed(float[] values, int rows, int columns) {
    float[] result = new float[values.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        result[c * rows + r] = values[r * columns + c];
      }
    }
    return result;
  }

  /** (code - zero-point) * scale, with one scale or one for each index of an axis. */
  private Optional<TensorProto> dequantized(NodeProto node, TensorProto codes) {
    TensorProto scaleTensor = draft.constants.get(Nodes.input(node, 1));
    String zeroPointName = Nodes.input(node, 2);
    TensorProto zeroPointTensor = draft.constants.get(zeroPointName);
    if (scaleTensor == null
        || (!zeroPointName.isEmpty() && zeroPointTensor == null)
        || scaleTensor.getDimsCount() > 1) {
      return Optional.empty();
    }
    int[] dims = Tensors.dims(codes);
    float[] scales = Tensors.floats(scaleTensor);
    float[] zeroPoints =
        zeroPointTensor == null ? new float[scales.length] : Tensors.floats(zeroPointTensor);
    int axis = (int) Nodes.integer(node, "axis", 1);
    axis = axis < 0 ? axis + dims.length : axis;
    int inner = 1;
    for (int d = axis + 1; d < dims.length; d++) {
      inner *= dims[d];
    }
    boolean perAxis = scales.length > 1;
    if (zeroPoints.length != scales.length
        || (perAxis && (axis >= dims.length || dims[axis] != scales.length))) {
      return Optional.empty();
    }
    float[] values = Tensors.floats(codes);
    for (int i = 0; i < values.length; i++) {
      int index = perAxis ? i / inner % scales.length : 0;
      values[i] = (values[i] - zeroPoints[index]) * scales[index];
    }
    return Optional.of(Tensors.of("", values, dims));
  }
}
