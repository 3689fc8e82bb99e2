package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Folds an inference batch normalisation into the convolution before it (Jacob et al. 2018,
 * arXiv:1712.05877, section 3.2): w' = w * gamma / sqrt(var + eps), b' = (b - mean) * gamma /
 * sqrt(var + eps) + beta, where only the batch-norm reads the convolution.
 */
final class BatchNormFolding {
  private static final float DEFAULT_EPSILON = 1e-5f;

  private BatchNormFolding() {}

  /**
   * Folds what can be folded.
   *
   * @return by convolution name, how many 32-bit parameters the batch-norm had besides what the
   *     weights take up: a scale and a shift for each channel
   */
  static Map<String, Integer> apply(GraphDraft draft) {
    Map<String, Integer> floatParameters = new HashMap<>();
    Set<Integer> folded = new HashSet<>();
    Map<String, Integer> readers = draft.onlyReaders(); // folding changes none that is asked for
    Set<String> read = new HashSet<>(Set.of(draft.output));
    draft.nodes.forEach(node -> read.addAll(Nodes.reads(node)));
    for (int i = 0; i < draft.nodes.size(); i++) {
      NodeProto conv = draft.nodes.get(i);
      int reader = Nodes.is(conv, "Conv") ? readers.getOrDefault(conv.getOutput(0), -1) : -1;
      if (reader < 0 || !foldable(draft, conv, draft.nodes.get(reader), read)) {
        continue;
      }
      NodeProto norm = draft.nodes.get(reader);
      draft.nodes.set(i, fold(draft, conv, norm));
      if (readers.containsKey(conv.getInput(1))) {
        draft.constants.remove(conv.getInput(1)); // not held beside the folded weights
      }
      floatParameters.put(conv.getName(), 2 * values(draft, norm, 1).length);
      folded.add(reader);
    }
    for (int i = draft.nodes.size() - 1; i >= 0; i--) {
      if (folded.contains(i)) {
        draft.nodes.remove(i);
      }
    }
    draft.prune();
    return floatParameters;
  }

  private static boolean foldable(
      GraphDraft draft, NodeProto conv, NodeProto norm, Set<String> read) {
    if (!Nodes.is(norm, "BatchNormalization")
        || !norm.getInput(0).equals(conv.getOutput(0))
        || Nodes.integer(norm, "training_mode", 0) != 0
        || norm.getOutputList().stream().skip(1).anyMatch(read::contains)) {
      return false;
    }
    String bias = Nodes.input(conv, 2);
    TensorProto weights = draft.constants.get(Nodes.input(conv, 1));
    return weights != null
        && Tensors.isSingle(weights)
        && (bias.isEmpty() || draft.constants.containsKey(bias))
        && norm.getInputList().stream().skip(1).allMatch(draft.constants::containsKey);
  }

  private static NodeProto fold(GraphDraft draft, NodeProto conv, NodeProto norm) {
    float[] gamma = values(draft, norm, 1);
    float[] beta = values(draft, norm, 2);
    float[] mean = values(draft, norm, 3);
    float[] variance = values(draft, norm, 4);
    float epsilon = Nodes.real(norm, "epsilon", DEFAULT_EPSILON);
    TensorProto weightTensor = draft.constants.get(conv.getInput(1));
    float[] weights = Tensors.floats(weightTensor);
    int channels = gamma.length;
    if (weightTensor.getDimsCount() < 1
        || weightTensor.getDims(0) != channels
        || beta.length != channels
        || mean.length != channels
        || variance.length != channels) {
      throw GraphDraft.invalid(
          "batch-norm '" + norm.getName() + "' does not have a value for each channel");
    }
    float[] bias =
        Nodes.input(conv, 2).isEmpty() ? new float[channels] : values(draft, conv, 2).clone();
    int perChannel = weights.length / channels;
    for (int c = 0; c < channels; c++) {
      double factor = gamma[c] / Math.sqrt((double) variance[c] + epsilon);
      for (int i = c * perChannel; i < (c + 1) * perChannel; i++) {
        weights[i] = (float) (weights[i] * factor);
      }
      bias[c] = (float) ((bias[c] - mean[c]) * factor + beta[c]);
    }
    String weightName = conv.getName() + "/folded/weight";
    String biasName = conv.getName() + "/folded/bias";
    draft.constants.put(weightName, Tensors.of(weightName, weights, Tensors.dims(weightTensor)));
    draft.constants.put(biasName, Tensors.of(biasName, bias, channels));
    return conv.toBuilder()
        .clearInput()
        .addAllInput(List.of(conv.getInput(0), weightName, biasName))
        .setOutput(0, norm.getOutput(0))
        .build();
  }

  private static float[] values(GraphDraft draft, NodeProto node, int input) {
    return Tensors.floats(draft.constants.get(node.getInput(input)));
  }
}
