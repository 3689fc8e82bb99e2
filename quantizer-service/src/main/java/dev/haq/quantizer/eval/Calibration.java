package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.Clip;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.ActivationRange;
import dev.haq.quantizer.quant.Histogram;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.Numerics.ActivationForm;
import dev.haq.quantizer.quant.SignedHistogram;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * What a network's layers read on a few images, and the quantizers that follow from it. A clip
 * threshold is searched for once for each tensor and number of levels; it does not depend on the
 * policy (paper, section 3.4). Keeps 32 KiB a tensor, and nothing of the network but its tensors'
 * names.
 */
final class Calibration {
  private final String input;
  private final Set<String> nonNegative;
  private final Map<String, SignedHistogram> observed;
  private final Map<Grid, LinearQuantizer> quantizers = new ConcurrentHashMap<>();

  private Calibration(CnnGraph graph, Map<String, SignedHistogram> observed) {
    this.input = graph.input();
    this.nonNegative = graph.nonNegative();
    this.observed = observed;
  }

  private record Grid(String tensor, BitWidth bits, Clip clip, ActivationForm form) {}

  private record Extent(float smallest, float largest) {
    static final Extent NONE = new Extent(Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);

    Extent plus(Extent other) {
      return new Extent(Math.min(smallest, other.smallest), Math.max(largest, other.largest));
    }

    /** Of a tensor without a single number it is that of zeros. */
    SignedHistogram histogram() {
      return smallest <= largest
          ? new SignedHistogram(smallest, largest, Histogram.USUAL_BINS)
          : new SignedHistogram(0, 0, Histogram.USUAL_BINS);
    }
  }

  /** Runs the float network twice over the images: for the extent of its tensors, then to count. */
  static Calibration of(
      CnnGraph graph, Images images, SessionRunner runner, BooleanSupplier cancelled) {
    List<String> tensors = graph.layers().stream().map(Quantizable::input).distinct().toList();
    List<String> computed = tensors.stream().filter(t -> !t.equals(graph.input())).toList();
    try (OrtSession session =
        Ort.open(
            FloatGraph.write(graph, computed.isEmpty() ? List.of(graph.output()) : computed),
            FloatGraph.rewriting())) {
      Map<String, Extent> extents = new HashMap<>();
      visit(session, graph, images, computed, runner, cancelled, values -> extent(values))
          .forEach(part -> part.forEach((name, e) -> extents.merge(name, e, Extent::plus)));
      Map<String, SignedHistogram> observed = new HashMap<>();
      extents.forEach((name, extent) -> observed.put(name, extent.histogram()));
      observeInput(graph, images, observed);
      count(session, graph, images, computed, runner, cancelled, observed);
      return new Calibration(graph, observed);
    } catch (OrtException e) {
      throw Ort.failed(e);
    }
  }

  private interface Visitor<T> {
    T of(float[] values);
  }

  private static <T> List<Map<String, T>> visit(
      OrtSession session,
      CnnGraph graph,
      Images images,
      List<String> tensors,
      SessionRunner runner,
      BooleanSupplier cancelled,
      Visitor<T> visitor) {
    return runner.run(
        session,
        graph,
        images,
        0,
        images.size(),
        1,
        (result, first, count) -> {
          Map<String, T> seen = new HashMap<>();
          for (int i = 0; i < tensors.size(); i++) {
            seen.put(tensors.get(i), visitor.of(SessionRunner.floats((OnnxTensor) result.get(i))));
          }
          return seen;
        },
        cancelled);
  }

  private static void count(
      OrtSession session,
      CnnGraph graph,
      Images images,
      List<String> tensors,
      SessionRunner runner,
      BooleanSupplier cancelled,
      Map<String, SignedHistogram> observed) {
    runner.run(
        session,
        graph,
        images,
        0,
        images.size(),
        1,
        (result, first, count) -> {
          for (int i = 0; i < tensors.size(); i++) {
            SignedHistogram histogram = observed.get(tensors.get(i));
            float[] values = SessionRunner.floats((OnnxTensor) result.get(i));
            synchronized (histogram) {
              for (float value : values) {
                histogram.add(value);
              }
            }
          }
          return true;
        },
        cancelled);
  }

  private static void observeInput(
      CnnGraph graph, Images images, Map<String, SignedHistogram> observed) {
    float[] image = new float[graph.inputValues()];
    Extent all = Extent.NONE;
    for (int i = 0; i < images.size(); i++) {
      images.read(i, image, 0);
      all = all.plus(extent(image));
    }
    SignedHistogram histogram = all.histogram();
    for (int i = 0; i < images.size(); i++) {
      images.read(i, image, 0);
      for (float value : image) {
        histogram.add(value);
      }
    }
    observed.put(graph.input(), histogram);
  }

  /** Values that are no numbers are passed over: such a network has no accuracy to lose. */
  private static Extent extent(float[] values) {
    float smallest = Float.POSITIVE_INFINITY;
    float largest = Float.NEGATIVE_INFINITY;
    for (float value : values) {
      if (Float.isFinite(value)) {
        smallest = Math.min(smallest, value);
        largest = Math.max(largest, value);
      }
    }
    return new Extent(smallest, largest);
  }

  /**
   * The quantizer of a layer's input: unsigned where the tensor cannot be negative by the way it is
   * made, or is an image without negative values; else as {@code form} says (paper, section 3.4).
   */
  LinearQuantizer quantizer(String tensor, BitWidth width, Clip threshold, ActivationForm codes) {
    return quantizers.computeIfAbsent(
        new Grid(tensor, width, threshold, codes),
        grid ->
            ActivationRange.quantizer(
                observed.get(tensor),
                isNonNegative(tensor),
                grid.bits(),
                grid.clip(),
                grid.form()));
  }

  /** The quantizers to choose from for a layer's input, see {@link ActivationRange#widening}. */
  List<LinearQuantizer> widening(String tensor, BitWidth width, ActivationForm form) {
    return ActivationRange.widening(observed.get(tensor), isNonNegative(tensor), width, form);
  }

  private boolean isNonNegative(String tensor) {
    return tensor.equals(input)
        ? observed.get(tensor).smallest() >= 0
        : nonNegative.contains(tensor);
  }
}
