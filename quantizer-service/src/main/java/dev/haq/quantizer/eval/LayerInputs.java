package dev.haq.quantizer.eval;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.BitWidth;
import dev.haq.model.Layer;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.onnx.CnnGraph;
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

/** What a network's layers read on a few images. */
final class LayerInputs {
  /** The golden ratio's fraction, whose multiples fill [0, 1) evenly. */
  private static final double STRIDE = 0.6180339887498949;

  /**
   * Of what the layers read of the images that are held at once; one image may have more. All
   * layers of MobileNetV2 read 27 MB of an image of 224x224 pixels.
   */
  private static final long BYTES_AT_ONCE = 256L << 20;

  /** Enough to keep the threads busy. */
  private static final int MOST_IMAGES_AT_ONCE = 4;

  private LayerInputs() {}

  /**
   * Which patches of a layer's input are looked at. Neighbours tell little that is new: those of an
   * image are spread evenly, and begin elsewhere in every image.
   *
   * @param images at most
   * @param patches of an image, at most
   * @param products of an image, at most, in which a layer of many weights gets fewer patches
   */
  record Sample(int images, int patches, long products) {
    /** For the moments, which serve all policies. */
    static final Sample FOR_MOMENTS = new Sample(Integer.MAX_VALUE, 256, Long.MAX_VALUE);

    /** To choose among some dozens of grids: enough to tell them apart, for each costs as much. */
    static final Sample TO_CHOOSE = new Sample(16, 32, 4 << 20);

    /** The fewest patches of an image. */
    private static final int FEWEST = 4;

    private int patchesOf(Quantizable layer) {
      return (int) Math.max(FEWEST, Math.min(patches, products / layer.weights().length));
    }
  }

  /** Takes patches, [groups][weights of an output]; those of a layer one after the other. */
  interface Sink {
    void add(int layer, float[] patch);
  }

  /**
   * The moments of what each layer reads. The same images give the same, on any number of threads.
   */
  static List<InputMoments> moments(
      CnnGraph graph,
      Numerics numerics,
      ActivationGrids grids,
      Images images,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    List<InputMoments> moments = new ArrayList<>();
    boolean secondOrder =
        numerics.weights() instanceof Weights.Linear linear
            && linear.rounding() == Rounding.SECOND_ORDER;
    for (Quantizable layer : graph.layers()) {
      Patches p = new Patches(layer.layer());
      moments.add(
          new InputMoments(
              p.groups(),
              p.perOutput(),
              p.kernelArea(),
              secondOrder,
              numerics.biasCorrected() ? allWidths(grids, layer.input()) : List.of()));
    }
    read(
        graph,
        images,
        Sample.FOR_MOMENTS,
        (layer, patch) -> moments.get(layer).add(patch),
        runner,
        cancelled);
    return moments;
  }

  private static List<LinearQuantizer> allWidths(ActivationGrids grids, String tensor) {
    return IntStream.rangeClosed(LinearQuantizer.NARROWEST, LinearQuantizer.WIDEST)
        .mapToObj(bits -> grids.of(tensor, BitWidth.of(bits)))
        .toList();
  }

  /** Runs the float network and hands out patches of what its layers read, layers in parallel. */
  static void read(
      CnnGraph graph,
      Images images,
      Sample sample,
      Sink sink,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    List<Quantizable> layers = graph.layers();
    List<Patches> patches = layers.stream().map(l -> new Patches(l.layer())).toList();
    List<String> computed =
        layers.stream()
            .map(Quantizable::input)
            .distinct()
            .filter(name -> !name.equals(graph.input()))
            .toList();
    int end = Math.min(images.size(), sample.images());
    int atOnce = imagesAtOnce(layers.stream().map(Quantizable::layer).toList());
    try (OrtSession session =
        Ort.open(
            FloatGraph.write(graph, computed.isEmpty() ? List.of(graph.output()) : computed),
            FloatGraph.rewriting())) {
      for (int from = 0; from < end; from += atOnce) {
        int first = from;
        List<Map<String, float[]>> tensors =
            tensors(
                session,
                graph,
                images,
                first,
                Math.min(end, first + atOnce),
                computed,
                runner,
                cancelled);
        IntStream.range(0, layers.size())
            .parallel()
            .forEach(
                k -> {
                  for (int i = 0; i < tensors.size(); i++) {
                    float[] input = tensors.get(i).get(layers.get(k).input());
                    int most = sample.patchesOf(layers.get(k));
                    add(k, patches.get(k), input, first + i, most, sink);
                  }
                });
      }
    } catch (OrtException e) {
      throw Ort.failed(e);
    }
  }

  /** How many images' tensors fit into {@link #BYTES_AT_ONCE}. */
  static int imagesAtOnce(List<Layer> layers) {
    long values = layers.stream().mapToLong(Layer::inputValues).sum();
    long fit = BYTES_AT_ONCE / (values * Float.BYTES);
    return (int) Math.max(1, Math.min(MOST_IMAGES_AT_ONCE, fit));
  }

  /** What the layers read of some images, by tensor. */
  private static List<Map<String, float[]>> tensors(
      OrtSession session,
      CnnGraph graph,
      Images images,
      int first,
      int end,
      List<String> computed,
      SessionRunner runner,
      BooleanSupplier cancelled) {
    return runner.run(
        session,
        graph,
        images,
        first,
        end,
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

  private static void add(
      int layer, Patches patches, float[] input, int image, int most, Sink sink) {
    int all = patches.count();
    int taken = Math.min(all, most);
    double spacing = (double) all / taken;
    double start = all == taken ? 0 : image * STRIDE % 1 * spacing;
    float[] patch = new float[patches.size()];
    for (int i = 0; i < taken; i++) {
      patches.read(input, (int) Math.min(all - 1, start + i * spacing), patch);
      sink.add(layer, patch);
    }
  }
}
