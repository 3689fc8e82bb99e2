package dev.haq.quantizer.graphs;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The forms in which a graph being written has its tensors: real numbers as the network has them,
 * real numbers with channels last, bytes with channels last. A form that is asked for and not there
 * is made from one that is, once.
 */
final class TensorForms {
  private final CnnGraph graph;
  private final GraphBuilder builder;
  private final Map<String, String> real = new HashMap<>();
  private final Map<String, String> realChannelsLast = new HashMap<>();
  private final Map<ByteKey, String> bytes = new HashMap<>();
  private final Map<ByteKey, String> bytesAsIs = new HashMap<>();
  private final Map<String, Integer> alignments = new HashMap<>();

  private record ByteKey(String tensor, LinearQuantizer quantizer) {}

  TensorForms(CnnGraph graph, GraphBuilder builder) {
    this.graph = graph;
    this.builder = builder;
    real.put(graph.input(), graph.input());
  }

  void isReal(String tensor, String name) {
    real.put(tensor, name);
  }

  void isRealChannelsLast(String tensor, String name) {
    realChannelsLast.put(tensor, name);
  }

  void isBytes(String tensor, LinearQuantizer quantizer, String name) {
    bytes.put(new ByteKey(tensor, quantizer), name);
  }

  /** Asks for bytes of a tensor whose pixels are stored in multiples of so many channels. */
  void align(String tensor, int channels) {
    if (hasChannels(tensor)) {
      alignments.merge(tensor, channels, Math::max);
    }
  }

  /** Channels of a pixel in the tensor's bytes; those beyond the tensor's own hold zeros. */
  int storedChannels(String tensor) {
    List<Integer> shape = graph.shapes().get(tensor);
    int channels = hasChannels(tensor) ? shape.get(1) : shape.get(shape.size() - 1);
    int alignment = alignments.getOrDefault(tensor, 1);
    return (channels + alignment - 1) / alignment * alignment;
  }

  boolean hasChannels(String tensor) {
    List<Integer> shape = graph.shapes().get(tensor);
    return shape != null && shape.size() == 4;
  }

  boolean isChannelsLast(String tensor) {
    return realChannelsLast.containsKey(tensor);
  }

  /** The tensor as the network has it. Constants, and what is made of none of them, as they are. */
  String real(String tensor) {
    String known = real.get(tensor);
    if (known != null) {
      return known;
    }
    String last = realChannelsLast.get(tensor);
    if (last == null) {
      return tensor;
    }
    String made = channelsFirst(last);
    real.put(tensor, made);
    return made;
  }

  String realChannelsLast(String tensor) {
    return realChannelsLast.computeIfAbsent(tensor, name -> channelsLast(real(name)));
  }

  /**
   * Codes of the tensor as bytes; where it has channels with these last, {@link #storedChannels} of
   * them.
   */
  String bytes(String tensor, LinearQuantizer quantizer) {
    ByteKey key = new ByteKey(tensor, quantizer);
    String known = bytes.get(key);
    if (known != null) {
      return known;
    }
    String made;
    if (realChannelsLast.containsKey(tensor)) {
      made = padded(quantized(realChannelsLast.get(tensor), quantizer), tensor, quantizer);
    } else {
      made = bytesAsIs(tensor, quantizer);
      made = hasChannels(tensor) ? padded(channelsLast(made), tensor, quantizer) : made;
    }
    bytes.put(key, made);
    return made;
  }

  /** As {@link #bytes}, with the tensor's own channels alone. */
  String ownBytes(String tensor, LinearQuantizer quantizer) {
    String stored = bytes(tensor, quantizer);
    if (!hasChannels(tensor) || storedChannels(tensor) == channels(tensor)) {
      return stored;
    }
    return builder.op(
        "Slice",
        List.of(
            stored,
            builder.longs("starts", 0),
            builder.longs("ends", channels(tensor)),
            builder.longs("axes", 3)));
  }

  private int channels(String tensor) {
    return graph.shapes().get(tensor).get(1);
  }

  /** The tensor's own bytes with channels last, and zeros beyond them where more are stored. */
  String padded(String bytes, String tensor, LinearQuantizer quantizer) {
    int more = storedChannels(tensor) - channels(tensor);
    if (more == 0) {
      return bytes;
    }
    return builder.op(
        "Pad",
        List.of(
            bytes,
            builder.longs("pads", 0, 0, 0, 0, 0, 0, 0, more),
            builder.unsignedByte("zero", ByteCodes.zeroPoint(quantizer))));
  }

  /** Codes of the tensor as bytes, its dimensions in the network's order. */
  String bytesAsIs(String tensor, LinearQuantizer quantizer) {
    ByteKey key = new ByteKey(tensor, quantizer);
    String known = bytesAsIs.get(key);
    if (known != null) {
      return known;
    }
    boolean isLast = bytes.containsKey(key) || realChannelsLast.containsKey(tensor);
    String made =
        isLast ? channelsFirst(ownBytes(tensor, quantizer)) : quantized(real(tensor), quantizer);
    bytesAsIs.put(key, made);
    return made;
  }

  private String quantized(String real, LinearQuantizer quantizer) {
    String scale = builder.scalar("scale", quantizer.scale());
    String zero = builder.unsignedByte("zero", ByteCodes.zeroPoint(quantizer));
    String codes = builder.op("QuantizeLinear", List.of(real, scale, zero));
    return Activations.clipped(builder, codes, quantizer);
  }

  String channelsLast(String name) {
    return transposed(name, 0, 2, 3, 1);
  }

  String channelsFirst(String name) {
    return transposed(name, 0, 3, 1, 2);
  }

  private String transposed(String name, long... order) {
    String output = builder.fresh("Transpose");
    builder.add(
        Nodes.node("Transpose", List.of(name), output).addAttribute(Nodes.ints("perm", order)));
    return output;
  }

  /** The node reading its tensors as the network has them. */
  NodeProto withRealInputs(NodeProto node) {
    NodeProto.Builder renamed = node.toBuilder().clearInput();
    node.getInputList().forEach(name -> renamed.addInput(real(name)));
    // Subgraphs read outer tensors by their own names.
    for (String name : Nodes.reads(node)) {
      if (!node.getInputList().contains(name) && !real(name).equals(name)) {
        builder.add(Nodes.node("Identity", List.of(real(name)), name));
        real.put(name, name);
      }
    }
    return renamed.build();
  }
}
