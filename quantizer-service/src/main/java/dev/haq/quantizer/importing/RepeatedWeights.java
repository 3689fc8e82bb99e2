package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.haq.model.Layer;
import dev.haq.quantizer.onnx.Nodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Layers that read one tensor of weights. Each is a layer of its own, with bit-widths of its own,
 * so the tensor counts once for each.
 */
final class RepeatedWeights {
  private final Map<String, String> tensors = new HashMap<>(); // by node

  private RepeatedWeights() {}

  /** To be asked before batch-norm is folded, which gives every layer weights of its own. */
  static RepeatedWeights of(GraphDraft draft) {
    RepeatedWeights weights = new RepeatedWeights();
    // A tensor that was named anew, as behind Identity, still has its data with the other.
    IdentityHashMap<ByteString, String> names = new IdentityHashMap<>();
    for (NodeProto node : draft.nodes) {
      String name = Nodes.input(node, 1);
      TensorProto tensor = draft.constants.get(name);
      if (tensor != null && !tensor.getRawData().isEmpty()) {
        name = names.computeIfAbsent(tensor.getRawData(), data -> Nodes.input(node, 1));
      }
      weights.tensors.put(node.getName(), name);
    }
    return weights;
  }

  /** One line about such layers; empty where there are none. */
  Optional<String> note(List<Layer> layers) {
    Map<String, List<String>> readers = new LinkedHashMap<>();
    for (Layer layer : layers) {
      readers
          .computeIfAbsent(tensors.get(layer.name()), tensor -> new ArrayList<>())
          .add(layer.name());
    }
    String groups =
        readers.values().stream()
            .filter(names -> names.size() > 1)
            .map(names -> String.join(", ", names))
            .collect(Collectors.joining("; "));
    return groups.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "layers that share their weights count them once each, in the model size too: "
                + groups);
  }
}
