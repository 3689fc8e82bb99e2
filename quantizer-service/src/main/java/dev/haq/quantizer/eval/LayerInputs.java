package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.BitWidth;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.FloatGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.InputMoments;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.Numerics;
import dev.haq.quantizer.quant.Numerics.Rounding;
import dev.haq.quantizer.quant.Numerics.Weights;
import dev.haq.quantizer.quant.Patches;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** Takes the moments of what a network's layers read on a few images. */
final class LayerInputs {
  /**
   * Output values of a channel whose patches are looked at, in each image: neighbours tell little
   * that is new. They are spread evenly, and begin elsewhere in every image.
   */
  private static final int PATCHES_OF_AN_IMAGE = 256;

  /** The golden ratio's fraction, whose multiples fill [0, 1) evenly. */
  private static final double STRIDE = 0.6180339887498949;

  /** Images whose tensors are held at once. */
  private static final int IMAGES_AT_ONCE = 4;

  private LayerInputs() {}

  /**
   * In the order of the layers. The same images give the same moments, on any number of threads.
   */
  static List<InputMoments> moments(
      CnnGraph graph,
      Numerics numerics,
      Calibration calibration,
      Images images,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    List<Quantizable> layers = graph.layers();
    List<Patches> patches = layers.stream().map(l -> new Patches(l.layer())).toList();
    List<InputMoments> moments = new ArrayList<>();
    boolean secondOrder =
        numerics.weights() instanceof Weights.Linear linear
            && linear.rounding() == Rounding.SECOND_ORDER;
    for (int k = 0; k < layers.size(); k++) {
      Patches p = patches.get(k);
      moments.add(
          new InputMoments(
              p.groups(),
              p.perOutput(),
              p.kernelArea(),
              secondOrder,
              numerics.biasCorrected()
                  ? grids(calibration, layers.get(k).input(), numerics)
                  : List.of()));
    }
    List<String> computed =
        layers.stream()
            .map(Quantizable::input)
            .distinct()
            .filter(name -> !name.equals(graph.input()))
            .toList();
    byte[] model =
        FloatGraph.write(graph, computed.isEmpty() ? List.of(graph.output()) : computed)
            .toByteArray();
    try (OrtSession session = Ort.open(model, FloatGraph.rewriting())) {
      for (int from = 0; from < images.size(); from += IMAGES_AT_ONCE) {
        int first = from;
        List<Map<String, float[]>> tensors =
            tensors(session, graph, images, first, computed, runner, cancelled);
        IntStream.range(0, layers.size())
            .parallel()
            .forEach(
                k -> {
                  for (int i = 0; i < tensors.size(); i++) {
                    float[] input = tensors.get(i).get(layers.get(k).input());
                    add(moments.get(k), patches.get(k), input, first + i);
                  }
                });
      }
    } catch (OrtException e) {
      throw Ort.refused(e);
    }
    return moments;
  }

  private static List<LinearQuantizer> grids(
      Calibration calibration, String tensor, Numerics numerics) {
    return IntStream.rangeClosed(LinearQuantizer.NARROWEST, LinearQuantizer.WIDEST)
        .mapToObj(
            bits ->
                calibration.quantizer(
                    tensor,
                    BitWidth.of(bits),
                    numerics.activationClip(),
                    numerics.activationForm()))
        .toList();
  }

  /** What the layers read of some images, by tensor. */
  private static List<Map<String, float[]>> tensors(
      OrtSession session,
      CnnGraph graph,
      Images images,
      int first,
      List<String> computed,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    return runner.run(
        session,
        graph,
        images,
        first,
        Math.min(images.size(), first + IMAGES_AT_ONCE),
        1,
        (result, image, count) -> {
          Map<String, float[]> seen = new HashMap<>();
          for (int i = 0; i < computed.size(); i++) {
            seen.put(computed.get(i), SessionRunner.floats((OnnxTensor) result.get(i)));
          }
          float[] input = new float[graph.inputValues()];
          images.read(image, input, 0);
          seen.put(graph.input(), input);
          return seen;
        },
        cancelled);
  }

  private static void add(InputMoments moments, Patches patches, float[] input, int image) {
    int all = patches.count();
    int taken = Math.min(all, PATCHES_OF_AN_IMAGE);
    double spacing = (double) all / taken;
    double start = all == taken ? 0 : image * STRIDE % 1 * spacing;
    float[] patch = new float[patches.size()];
    for (int i = 0; i < taken; i++) {
      patches.read(input, (int) Math.min(all - 1, start + i * spacing), patch);
      moments.add(patch);
    }
  }
}
