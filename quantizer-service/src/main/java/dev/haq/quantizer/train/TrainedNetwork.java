package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import dev.haq.quantizer.eval.FineTuner.QuantizedLayer;
import dev.haq.quantizer.eval.FineTuner.Task;
import dev.haq.quantizer.eval.FineTuner.Weights;
import dev.haq.quantizer.graphs.TunedGraph;
import dev.haq.quantizer.graphs.TunedGraph.TunedLayer;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A quantized network with what is trained of it: weights, biases, and learnt clip thresholds.
 * Layers that read one tensor with equal quantizers share its codes and its threshold.
 */
final class TrainedNetwork {
  /** Stands for a probability of zero in the cross-entropy. */
  private static final float LEAST_PROBABILITY = 1e-12f;

  private final CnnGraph graph;
  private final NdGraph program;
  private final List<TrainedWeights> weights = new ArrayList<>();
  private final List<NDArray> biases = new ArrayList<>();
  private final List<Integer> activationOf = new ArrayList<>(); // -1: floating point
  private final List<TrainedActivations> activations = new ArrayList<>();

  private record Quantized(String tensor, LinearQuantizer quantizer) {}

  /**
   * @param manager owns what is trained
   */
  TrainedNetwork(Task task, NDManager manager) {
    this.graph = task.graph();
    this.program = NdGraph.of(graph);
    boolean learnt = task.settings().learnClips();
    Map<Quantized, Integer> known = new HashMap<>();
    List<Quantizable> layers = graph.layers();
    for (int k = 0; k < layers.size(); k++) {
      Quantizable layer = layers.get(k);
      QuantizedLayer quantized = task.layers().get(k);
      weights.add(weights(layer, quantized.weights(), manager));
      biases.add(manager.create(layer.bias()));
      activationOf.add(
          quantized
              .activations()
              .map(
                  quantizer ->
                      known.computeIfAbsent(
                          new Quantized(layer.input(), quantizer),
                          key -> {
                            activations.add(new TrainedActivations(quantizer, learnt, manager));
                            return activations.size() - 1;
                          }))
              .orElse(-1));
    }
  }

  private static TrainedWeights weights(Quantizable layer, Weights form, NDManager manager) {
    Shape shape = FloatLayer.shape(layer);
    if (form instanceof Weights.Shared shared) {
      return new SharedWeights(manager, shared.centroids(), shared.assignment(), shape);
    }
    NDArray parameter = manager.create(layer.weights(), shape);
    return form instanceof Weights.Grid grid
        ? new TrainedGrid(parameter, grid.levels(), grid.scales())
        : new TrainedWeights.Real(parameter);
  }

  /** What gradient descent changes: weights, then biases, then learnt thresholds. */
  List<NDArray> parameters() {
    List<NDArray> all = new ArrayList<>();
    weights.forEach(w -> all.add(w.parameter()));
    all.addAll(biases);
    activations.stream().filter(TrainedActivations::isLearnt).forEach(a -> all.add(a.parameter()));
    return all;
  }

  /** Fits the grids of the weights to the weights as they are now. */
  void refit() {
    weights.forEach(TrainedWeights::refit);
  }

  /** The network with its weights as they are now. */
  CnnGraph tuned() {
    List<TunedLayer> layers = new ArrayList<>();
    for (int k = 0; k < weights.size(); k++) {
      int activation = activationOf.get(k);
      Optional<TunedGraph.Clip> clip =
          activation >= 0 && activations.get(activation).isLearnt()
              ? Optional.of(activations.get(activation).learnt())
              : Optional.empty();
      layers.add(new TunedLayer(weights.get(k).values(), biases.get(k).toFloatArray(), clip));
    }
    return TunedGraph.of(graph, layers);
  }

  /**
   * One step's view of the network: its weights quantized once, and where gradients are gathered
   * over the parts of a batch.
   */
  final class Step {
    private final List<NDArray> weightLeaves = new ArrayList<>();
    private final List<NDArray> biasLeaves = new ArrayList<>();
    private final List<NDArray> clipLeaves = new ArrayList<>(); // null where fixed

    /**
     * @param manager closes with the step
     */
    Step(NDManager manager) {
      weights.forEach(w -> weightLeaves.add(leaf(w.quantized(), manager)));
      biases.forEach(b -> biasLeaves.add(leaf(b.stopGradient(), manager)));
      activations.stream()
          .filter(TrainedActivations::isLearnt)
          .forEach(TrainedActivations::keepAboveZero);
      activations.forEach(
          a -> clipLeaves.add(a.isLearnt() ? leaf(a.parameter().stopGradient(), manager) : null));
    }

    private static NDArray leaf(NDArray array, NDManager manager) {
      array.attach(manager);
      array.setRequiresGradient(true);
      return array;
    }

    /**
     * Sum of the cross-entropies of some images, to be differentiated.
     *
     * @param images [images, channels, height, width]; its manager owns what is computed
     * @param targets [images, classes], one at the label, else 0
     */
    NDArray loss(NDArray images, NDArray targets) {
      NDArray scores = scores(images);
      NDArray logs =
          graph.outputKind() == OutputKind.PROBABILITIES
              ? scores.clip(LEAST_PROBABILITY, 1).log()
              : scores.logSoftmax(1);
      return logs.mul(targets).sum().neg();
    }

    /** Class scores [images, classes]. */
    NDArray scores(NDArray images) {
      NDManager manager = images.getManager();
      TrainedActivations.Codes[] codes = new TrainedActivations.Codes[activations.size()];
      return program.run(
          images,
          (k, layer, input) -> {
            int a = activationOf.get(k);
            if (a < 0) {
              return FloatLayer.apply(layer, input, weightLeaves.get(k), biasLeaves.get(k));
            }
            if (codes[a] == null) {
              codes[a] = activations.get(a).codes(input, clipLeaves.get(a));
            }
            NDArray scaled = codes[a].scaled(weightLeaves.get(k));
            scaled.attach(manager);
            return FloatLayer.apply(layer, codes[a].codes(), scaled, biasLeaves.get(k));
          });
    }

    /** Gradients gathered so far, in the order of {@link #parameters}. */
    List<NDArray> gradients() {
      List<NDArray> all = new ArrayList<>();
      for (int k = 0; k < weights.size(); k++) {
        all.add(weights.get(k).gradient(weightLeaves.get(k).getGradient()));
      }
      biasLeaves.forEach(leaf -> all.add(leaf.getGradient()));
      clipLeaves.stream().filter(leaf -> leaf != null).forEach(leaf -> all.add(leaf.getGradient()));
      return all;
    }
  }
}
