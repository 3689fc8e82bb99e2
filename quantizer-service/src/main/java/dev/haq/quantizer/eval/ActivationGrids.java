package dev.haq.quantizer.eval;

import dev.haq.model.BitWidth;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.Numerics;
import dev.haq.quantizer.quant.OutputErrors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** The grid of a tensor that layers read, for each bit-width. */
interface ActivationGrids {
  LinearQuantizer of(String tensor, BitWidth bits);

  /** As the numerics say. */
  static ActivationGrids of(
      CnnGraph graph,
      Numerics numerics,
      Calibration calibration,
      Images images,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    return numerics.activationClip().isPresent()
        ? (tensor, bits) ->
            calibration.quantizer(
                tensor, bits, numerics.activationClip().get(), numerics.activationForm())
        : ofLeastOutputError(graph, numerics, calibration, images, runner, cancelled);
  }

  /**
   * Of the grids from tight to wide, those that change the outputs of the layers that read the
   * tensor least, on a part of the images.
   */
  private static ActivationGrids ofLeastOutputError(
      CnnGraph graph,
      Numerics numerics,
      Calibration calibration,
      Images images,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    List<Quantizable> layers = graph.layers();
    Map<String, List<List<LinearQuantizer>>> candidates = new HashMap<>(); // [bits - NARROWEST]
    List<OutputErrors> errors = new ArrayList<>();
    for (Quantizable layer : layers) {
      List<List<LinearQuantizer>> byWidth =
          candidates.computeIfAbsent(
              layer.input(),
              tensor -> {
                List<List<LinearQuantizer>> found = new ArrayList<>();
                for (int b = LinearQuantizer.NARROWEST; b <= LinearQuantizer.WIDEST; b++) {
                  found.add(
                      calibration.widening(tensor, BitWidth.of(b), numerics.activationForm()));
                }
                return found;
              });
      errors.add(
          new OutputErrors(
              layer.weights(),
              layer.layer().outputs(),
              layer.groups(),
              byWidth.stream().flatMap(List::stream).toList()));
    }
    LayerInputs.read(
        graph,
        images,
        LayerInputs.Sample.TO_CHOOSE,
        (layer, patch) -> errors.get(layer).add(patch),
        runner,
        cancelled);
    Map<String, double[]> byTensor = new HashMap<>();
    for (int k = 0; k < layers.size(); k++) {
      double[] share = shares(errors.get(k).errors());
      byTensor.merge(
          layers.get(k).input(),
          share,
          (a, b) -> {
            double[] sum = a.clone();
            for (int i = 0; i < sum.length; i++) {
              sum[i] += b[i];
            }
            return sum;
          });
    }
    Map<String, LinearQuantizer[]> chosen = new HashMap<>();
    byTensor.forEach((tensor, sums) -> chosen.put(tensor, least(candidates.get(tensor), sums)));
    return (tensor, bits) -> {
      LinearQuantizer.checkWidth(bits);
      return chosen.get(tensor)[bits.bits() - LinearQuantizer.NARROWEST];
    };
  }

  /** Logarithms, so that each of the layers that read a tensor has the same say. */
  private static double[] shares(double[] errors) {
    double[] logs = new double[errors.length];
    for (int i = 0; i < logs.length; i++) {
      logs[i] = Math.log(Math.max(errors[i], Double.MIN_NORMAL));
    }
    return logs;
  }

  /**
   * For each width the candidate of the least error, the tighter of equals or where all are NaN.
   */
  private static LinearQuantizer[] least(List<List<LinearQuantizer>> candidates, double[] errors) {
    LinearQuantizer[] chosen = new LinearQuantizer[candidates.size()];
    int next = 0;
    for (int width = 0; width < chosen.length; width++) {
      double least = Double.POSITIVE_INFINITY;
      chosen[width] = candidates.get(width).get(0);
      for (LinearQuantizer candidate : candidates.get(width)) {
        double error = errors[next++];
        if (error < least) {
          least = error;
          chosen[width] = candidate;
        }
      }
    }
    return chosen;
  }
}
