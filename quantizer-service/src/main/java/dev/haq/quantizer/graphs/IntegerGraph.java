package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.ModelProto;
import dev.haq.model.Layer;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Other;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A policy in ONNX Runtime's own integer operators, written out so that nothing is left to fuse:
 * layers read and write bytes in channels-last order, what only layers read is never put back into
 * floating point, and additions of residuals stay in floating point.
 */
public final class IntegerGraph implements GraphWriter {
  /** Channels that the kernels of depthwise convolutions read at once. */
  private static final int DEPTHWISE_ALIGNMENT = 16;

  /** Channels whose products are added up in one instruction. */
  private static final int CONVOLUTION_ALIGNMENT = 4;

  private final Processor processor;

  public IntegerGraph(Processor processor) {
    this.processor = processor;
  }

  @Override
  public ModelProto write(CnnGraph graph, List<LayerForm> layers) {
    return new Writing(graph, layers, processor).write();
  }

  /**
   * Images are taken as codes where the layers are laid out for that. Without floating-point
   * convolutions ONNX Runtime has nothing to rearrange, and opens the graph in a third of the time.
   */
  @Override
  public Written forEvaluation(CnnGraph graph, List<LayerForm> layers) {
    Writing writing = new Writing(graph, layers, processor);
    Optional<CodedInput> input =
        processor == Processor.ADDS_EXACTLY_IN_512 ? writing.takeCodes() : Optional.empty();
    ModelProto model = writing.write();
    boolean convolvesReals =
        model.getGraph().getNodeList().stream().anyMatch(node -> Nodes.is(node, "Conv"));
    return new Written(model, convolvesReals ? rewriting() : Ort.Rewriting.NONE, input);
  }

  @Override
  public Ort.Rewriting rewriting() {
    return Ort.Rewriting.FLOAT_LAYERS;
  }

  /** In which forms a tensor is read. */
  private static final class Demand {
    boolean real;
    final Set<LinearQuantizer> bytes = new LinkedHashSet<>();
  }

  /** One graph being written. */
  private static final class Writing {
    private final CnnGraph graph;
    private final List<LayerForm> layers;
    private final GraphBuilder builder;
    private final TensorForms forms;
    private final IntegerLayers integerLayers;
    private final ChannelsLast channelsLast;
    private final Map<String, Demand> demands = new HashMap<>();

    Writing(CnnGraph graph, List<LayerForm> layers, Processor processor) {
      this.graph = graph;
      this.layers = layers;
      this.builder = new GraphBuilder(graph);
      this.forms = new TensorForms(graph, builder);
      this.integerLayers = new IntegerLayers(builder, forms, processor);
      this.channelsLast = new ChannelsLast(graph, builder, forms);
      findDemands();
    }

    /** Lets the graph take codes for its input, where one quantizer alone reads it. */
    Optional<CodedInput> takeCodes() {
      Demand demand = demand(graph.input());
      if (demand.real || demand.bytes.size() != 1 || !forms.hasChannels(graph.input())) {
        return Optional.empty();
      }
      LinearQuantizer quantizer = demand.bytes.iterator().next();
      CodedInput input = new CodedInput(quantizer, forms.storedChannels(graph.input()));
      builder.takeCodes(input);
      forms.isBytes(graph.input(), quantizer, graph.input());
      return Optional.of(input);
    }

    ModelProto write() {
      int next = 0;
      for (GraphNode node : graph.nodes()) {
        if (node instanceof Quantizable layer) {
          layer(layer, layers.get(next++));
        } else {
          other((Other) node);
        }
      }
      String output = forms.real(graph.output());
      if (!output.equals(graph.output())) {
        builder.add(Nodes.node("Identity", List.of(output), graph.output()));
      }
      return builder.build(List.of(graph.output()));
    }

    /** Works backwards from the output, so that a tensor's readers are known before its writer. */
    private void findDemands() {
      demand(graph.output()).real = true;
      int next = layers.size();
      for (int i = graph.nodes().size() - 1; i >= 0; i--) {
        GraphNode node = graph.nodes().get(i);
        if (node instanceof Quantizable layer) {
          next--;
          if (layers.get(next) instanceof LayerForm.Whole whole) {
            demandBytes(layer, whole.layer().activations());
          } else {
            demand(layer.input()).real = true;
          }
        } else if (node.outputs().stream().anyMatch(name -> demand(name).real)) {
          Nodes.reads(((Other) node).node()).forEach(name -> demand(name).real = true);
        }
      }
    }

    /** A clamp that the quantizer does by itself is passed over. */
    private void demandBytes(Quantizable layer, LinearQuantizer quantizer) {
      String source = Activations.beforeClamp(graph, layer.input(), quantizer);
      if (!(layer.layer() instanceof Layer.Linear)) {
        forms.align(source, CONVOLUTION_ALIGNMENT);
      }
      if (IntegerLayers.isDepthwise(layer.layer())) {
        forms.align(source, DEPTHWISE_ALIGNMENT);
        forms.align(layer.output(), DEPTHWISE_ALIGNMENT);
      }
      demand(source).bytes.add(quantizer);
      if (graph.writer(source).filter(Other.class::isInstance).isPresent()) {
        demand(source).real = true;
      }
    }

    private Demand demand(String tensor) {
      return demands.computeIfAbsent(tensor, name -> new Demand());
    }

    private void layer(Quantizable layer, LayerForm form) {
      Demand demand = demand(layer.output());
      if (form instanceof LayerForm.Real real) {
        FakeQuantizedGraph.writeReal(
            builder, layer, forms.real(layer.input()), real, layer.output());
        forms.isReal(layer.output(), layer.output());
        return;
      }
      var integers = ((LayerForm.Whole) form).layer();
      LinearQuantizer own = integers.activations();
      String source = Activations.beforeClamp(graph, layer.input(), own);
      if (!demand.real && integerLayers.writesBytes(layer, demand.bytes.size())) {
        for (LinearQuantizer quantizer : demand.bytes) {
          forms.isBytes(
              layer.output(), quantizer, integerLayers.toBytes(layer, integers, source, quantizer));
        }
      } else {
        integerLayers.toReal(layer, integers, source);
      }
    }

    private void other(Other other) {
      if (other.outputs().stream().noneMatch(name -> demand(name).real)) {
        return;
      }
      if (!channelsLast.write(other.node())) {
        builder.add(forms.withRealInputs(other.node()));
        other.outputs().forEach(name -> forms.isReal(name, name));
      }
    }
  }
}
