package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.quantizer.graphs.EqualisedGraph;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.Equalisation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class EqualisedGraphTest {
  private static final int CLASSES = 5;

  private static float[] scores(CnnGraph graph) {
    Images images = new RandomImages(4, graph.inputValues(), CLASSES);
    byte[] model = FloatGraph.write(graph, List.of(graph.output())).toByteArray();
    try (SessionRunner runner = new SessionRunner(1);
        OrtSession session = Ort.open(model, Ort.Rewriting.NONE)) {
      return runner
          .run(
              session,
              graph,
              images,
              0,
              4,
              4,
              (result, first, count) -> SessionRunner.floats((OnnxTensor) result.get(0)),
              () -> false)
          .get(0);
    } catch (OrtException e) {
      throw new AssertionError(e);
    }
  }

  /** A stem, a depthwise separable block, grouped convolution, and a classifier behind a mean. */
  private static CnnGraph uneven(boolean relu6) {
    SmallModel m = new SmallModel(3, 12, 12);
    String stem = clamp(m, relu6, m.batchNorm(m.conv("image", 3, 16, 3, 1, 1), 16));
    String deep = clamp(m, relu6, m.conv(stem, 16, 16, 3, 2, 16));
    String point = clamp(m, relu6, m.conv(deep, 16, 24, 1, 1, 1));
    String grouped = clamp(m, relu6, m.conv(point, 24, 12, 3, 1, 3));
    CnnGraph graph = m.imported(m.gemm(m.pooled(grouped), 12, CLASSES)).graph();
    List<Quantizable> layers = graph.layers();
    for (int k = 0; k < layers.size(); k++) {
      // Channels of very different ranges, one of them without any weight.
      float[] weights = layers.get(k).weights();
      int perOutput = weights.length / layers.get(k).bias().length;
      for (int i = 0; i < weights.length; i++) {
        int output = i / perOutput;
        weights[i] *= output == 1 && k < 2 ? 0 : (float) Math.pow(3, output % 5 - 2);
      }
    }
    return graph;
  }

  private static String clamp(SmallModel model, boolean relu6, String tensor) {
    return relu6 ? model.relu6(tensor) : model.relu(tensor);
  }

  @Test
  void anEqualisedNetworkComputesTheSame() {
    for (boolean relu6 : new boolean[] {false, true}) {
      CnnGraph graph = uneven(relu6);
      float[] expected = scores(graph);
      float[] actual = scores(EqualisedGraph.of(graph));
      double largest = 0;
      for (float score : expected) {
        largest = Math.max(largest, Math.abs(score));
      }
      for (int i = 0; i < expected.length; i++) {
        assertEquals(expected[i], actual[i], 1e-4 * largest);
      }
    }
  }

  @Test
  void aMatrixProductHasItsOutputsLastAndMakesNoPairWithChannels() {
    SmallModel m = new SmallModel(3, 12, 12);
    String product = m.relu(m.matMul(m.conv("image", 3, 12, 3, 1, 1), 12, 12));
    String features = m.relu(m.conv(product, 12, 8, 1, 1, 1));
    CnnGraph graph = m.imported(m.gemm(m.pooled(features), 8, CLASSES)).graph();
    float[] weights = graph.layers().get(1).weights();
    for (int i = 0; i < weights.length; i++) {
      weights[i] *= (float) Math.pow(3, i / 12 % 5 - 2);
    }
    assertArrayEquals(scores(graph), scores(EqualisedGraph.of(graph)), 1e-3f);
  }

  @Test
  void aVectorHasNoChannels() {
    SmallModel m = new SmallModel(1, 3, 12, 12);
    String features = m.gemm(m.pooled(m.conv("image", 3, 12, 3, 1, 1)), 12, 8);
    String vector = m.relu(m.node("Reshape", features, m.initializer(-1)));
    String row = m.node("Reshape", vector, m.initializer(1, 8));
    CnnGraph graph = m.imported(m.gemm(row, 8, CLASSES)).graph();
    assertEquals(List.of(8), graph.shapes().get(vector));
    EqualisedGraph.of(graph);
  }

  @Test
  void aMeanOverChannelsMakesNoPairAndOneOverPixelsDoesHoweverItsAxesAreGiven() {
    for (long[] axes : new long[][] {{1}, {-3}, {2, 3}, {-1, -2}}) {
      boolean overPixels = axes.length == 2;
      for (boolean byInput : new boolean[] {false, true}) {
        SmallModel m = new SmallModel(3, 3, 4).opset(byInput ? 18 : 13);
        String features = m.relu(m.conv("image", 3, 12, 3, 1, 1)); // as many pixels as channels
        String mean =
            byInput
                ? m.node("ReduceMean", features, m.initializer(axes))
                : m.node(
                    "ReduceMean",
                    List.of(features),
                    NodeProto.newBuilder().addAttribute(Nodes.ints("axes", axes)).build());
        CnnGraph graph = m.imported(m.gemm(m.node("Flatten", mean), 12, CLASSES)).graph();
        float[] weights = graph.layers().get(0).weights();
        for (int i = 0; i < weights.length; i++) {
          weights[i] *= (float) Math.pow(3, i / 27 % 5 - 2);
        }
        CnnGraph equalised = EqualisedGraph.of(graph);
        assertArrayEquals(scores(graph), scores(equalised), 1e-3f);
        assertEquals(
            overPixels,
            !Arrays.equals(weights, equalised.layers().get(0).weights()),
            Arrays.toString(axes));
      }
    }
  }

  @Test
  void bothLayersOfAPairReachEquallyFarInEveryChannel() {
    CnnGraph graph = EqualisedGraph.of(uneven(true));
    List<Quantizable> layers = graph.layers();
    int pairs = 0;
    for (int k = 0; k + 1 < layers.size(); k++) {
      Quantizable a = layers.get(k);
      Quantizable b = layers.get(k + 1);
      int channels = b.layer().inputs();
      int groups = k == 0 ? 16 : k == 2 ? 3 : 1;
      double[] written = Equalisation.writtenReach(a.weights(), channels);
      double[] read =
          Equalisation.readReach(
              b.weights(),
              b.layer().outputs(),
              groups,
              channels,
              b.weights().length * groups / b.layer().outputs() / channels);
      for (int c = 0; c < channels; c++) {
        if (written[c] > 0 && read[c] > 0) {
          assertEquals(1, written[c] / read[c], 0.05, "channel " + c + " behind layer " + k);
          pairs++;
        }
      }
    }
    assertTrue(pairs > 50);
  }

  @Test
  void whatOthersReadIsLeftAlone() {
    SmallModel m = new SmallModel(3, 12, 12);
    String stem = m.relu(m.conv("image", 3, 8, 3, 1, 1));
    String sum = m.node("Add", stem, m.relu(m.conv(stem, 8, 8, 3, 1, 1)));
    CnnGraph graph = m.imported(m.gemm(m.pooled(sum), 8, CLASSES)).graph();
    List<float[]> before = new ArrayList<>();
    graph.layers().forEach(layer -> before.add(layer.weights()));
    List<Quantizable> after = EqualisedGraph.of(graph).layers();
    for (int k = 0; k < after.size(); k++) {
      assertEquals(before.get(k), after.get(k).weights());
    }
  }
}
