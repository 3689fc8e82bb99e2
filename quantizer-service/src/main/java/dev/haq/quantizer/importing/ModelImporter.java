package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import dev.haq.quantizer.onnx.ChannelsFirstInput;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;
import dev.haq.quantizer.onnx.GraphNode;
import dev.haq.quantizer.onnx.GraphNode.Quantizable;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import dev.haq.quantizer.sharing.Waits;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.apache.commons.compress.utils.SeekableInMemoryByteChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns the bytes of an ONNX classification CNN into an {@link ImportedModel}, or refuses them with
 * one line: INVALID_MODEL, UNSUPPORTED_OPERATOR, NO_QUANTIZABLE_LAYERS or TOO_LARGE.
 */
public final class ModelImporter {
  /** Of one image, 64 MiB as floats: 3 x 2364 x 2364. */
  private static final long MOST_INPUT_VALUES = 1 << 24;

  private static final int MOST_CLASSES = 1_000_000;

  private static final Logger LOG = LoggerFactory.getLogger(ModelImporter.class);

  private ModelImporter() {}

  /**
   * @param bytes an ONNX file
   * @param id what the model is known by
   * @param name for people
   */
  public static ImportedModel read(byte[] bytes, String id, String name) {
    return read(
        new SeekableInMemoryByteChannel(bytes),
        bytes.length,
        id,
        name,
        OnnxReader.LARGEST_FILE_BYTES,
        () -> false);
  }

  /**
   * As {@link #read(byte[], String, String)}. The model's tensors are in memory once: each is let
   * go when it has become the weights of a layer, which are what is kept.
   *
   * @param mostBytes as many as the model's constants may come to, in full and as floats
   * @param cancelled asked now and then whether nobody waits for it any more; then the reason is
   *     CANCELLED
   */
  public static ImportedModel read(
      Path file, String id, String name, long mostBytes, BooleanSupplier cancelled)
      throws IOException {
    try (SeekableByteChannel bytes = Files.newByteChannel(file)) {
      return read(bytes, bytes.size(), id, name, mostBytes, cancelled);
    }
  }

  private static ImportedModel read(
      SeekableByteChannel file,
      long size,
      String id,
      String name,
      long mostBytes,
      BooleanSupplier cancelled) {
    try {
      return read(GraphDraft.of(model(file, mostBytes), mostBytes, cancelled), id, name, size);
    } catch (RuntimeException e) {
      // A graph can be malformed in more ways than are worth a check of their own.
      if (e instanceof HaqException typed && typed.reason() != Reason.INVALID_ARGUMENT) {
        throw typed;
      }
      LOG.warn("model {} is refused as malformed", id, e);
      throw new HaqException(
          Reason.INVALID_MODEL,
          "the ONNX graph is malformed (" + firstLine(e) + "): export the model again",
          e);
    }
  }

  /** Nobody else may keep the answer: its tensors go as soon as they have been converted. */
  private static ModelProto model(SeekableByteChannel file, long mostBytes) {
    ModelProto inlined =
        InlinedFunctions.apply(GraphLimits.checked(OnnxReader.read(file, mostBytes), mostBytes));
    ModelProto sound = GraphLimits.checked(PositiveAttributes.checked(inlined), mostBytes);
    return StatedImageSize.apply(
        ChannelsFirstInput.apply(
            OpenChannels.apply(HalfPrecision.widened(OpsetUpgrade.apply(sound)))));
  }

  private static String firstLine(RuntimeException e) {
    return Optional.ofNullable(e.getMessage())
        .flatMap(message -> message.lines().findFirst())
        .orElseGet(() -> e.getClass().getSimpleName());
  }

  private static ImportedModel read(GraphDraft draft, String id, String name, long sizeBytes) {
    UncountedLayers.refuse(draft);
    int[] inputShape = inputShape(draft.input);
    RepeatedWeights repeated = RepeatedWeights.of(draft);
    Map<String, Integer> batchNormParameters = BatchNormFolding.apply(draft);
    long batch = dimension(draft.input, 0).getDimValue();
    if (batch > 1) {
      freeBatch(draft, batch, reshaped -> true);
    }
    WindowForms.check(draft);
    Map<String, List<Integer>> shapes = ShapeProbe.shapes(draft, inputShape);
    if (batch == 1) {
      // For one image, a size that is copied is then the one that was written down.
      freeBatch(draft, batch, reshaped -> beginsWithOne(shapes.get(reshaped)));
    }
    int classes = classes(shapes.get(draft.output));
    Waits.throwIf(draft.cancelled);
    boolean fixedBatch = !ShapeProbe.takesAnyBatch(draft, inputShape, classes);
    MaxRelu.apply(draft, shapes);
    Waits.throwIf(draft.cancelled);
    Set<String> nonNegative = NonNegative.tensors(draft);
    boolean probabilities = NonNegative.isSoftmax(draft, draft.output);
    List<GraphNode> nodes = LayerFinder.find(draft, shapes, batchNormParameters);
    CnnGraph graph =
        new CnnGraph(
            nodes,
            otherConstants(draft, nodes),
            draft.model.getOpsetImportList(),
            draft.model.getIrVersion(),
            draft.input.getName(),
            ChannelsFirstInput.original(draft.model),
            List.of(inputShape[0], inputShape[1], inputShape[2]),
            draft.output,
            probabilities ? OutputKind.PROBABILITIES : OutputKind.LOGITS,
            classes,
            fixedBatch,
            shapes,
            nonNegative);
    List<Layer> layers = graph.layers().stream().map(Quantizable::layer).toList();
    List<String> notes = new ArrayList<>();
    ignoredOutputs(draft).ifPresent(notes::add);
    UncountedLayers.note(graph).ifPresent(notes::add);
    repeated.note(layers).ifPresent(notes::add);
    return new ImportedModel(
        new Network(id, name, layers, otherParameters(graph)), graph, sizeBytes, notes);
  }

  private static Optional<String> ignoredOutputs(GraphDraft draft) {
    return draft.ignoredOutputs.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "the class scores are read from output '%s'; ignored: '%s'"
                .formatted(draft.output, String.join("', '", draft.ignoredOutputs)));
  }

  private static int[] inputShape(ValueInfoProto input) {
    TypeProto.Tensor type = input.getType().getTensorType();
    if (type.getElemType() != TensorProto.DataType.FLOAT.getNumber()
        || type.getShape().getDimCount() != 4) {
      throw GraphDraft.invalid(
          "input '%s' is not a float tensor [batch, channels, height, width]: export an image classifier with such an input"
              .formatted(input.getName()));
    }
    requireSizes(input);
    int[] shape = new int[3];
    long values = 1;
    for (int i = 0; i < 3; i++) {
      long size = dimension(input, i + 1).getDimValue();
      if (size > MOST_INPUT_VALUES / values) {
        throw GraphDraft.invalid(
            "input '%s' has more than %d values an image: export the model with a smaller image size"
                .formatted(input.getName(), MOST_INPUT_VALUES));
      }
      values *= size;
      shape[i] = (int) size;
    }
    return shape;
  }

  private static void requireSizes(ValueInfoProto input) {
    boolean channels = dimension(input, 1).getDimValue() > 0;
    boolean image = dimension(input, 2).getDimValue() > 0 && dimension(input, 3).getDimValue() > 0;
    if (!channels) {
      throw GraphDraft.invalid(
          "input '%s' leaves its channels%s open, and no convolution that reads it tells them: export the model with its channels%s"
              .formatted(
                  input.getName(),
                  image ? "" : " and height or width",
                  image
                      ? ""
                      : ", and with the image size or state that (--image-size, image_size)"));
    }
    if (!image) {
      throw GraphDraft.invalid(
          "input '%s' leaves its height or width open: state the image size (--image-size, image_size), or export the model with it"
              .formatted(input.getName()));
    }
  }

  private static TensorShapeProto.Dimension dimension(ValueInfoProto input, int index) {
    return input.getType().getTensorType().getShape().getDim(index);
  }

  /**
   * Lets reshapes that write the batch size down as a number copy it from their input instead, so
   * that a model exported for one image takes many. {@link ShapeProbe#takesAnyBatch} then checks.
   *
   * @param hasBatch whether a tensor that is reshaped may have the batch as its first dimension
   */
  private static void freeBatch(GraphDraft draft, long batch, Predicate<String> hasBatch) {
    for (int i = 0; i < draft.nodes.size(); i++) {
      NodeProto node = draft.nodes.get(i);
      TensorProto shape = draft.constants.get(Nodes.input(node, 1));
      if (!Nodes.is(node, "Reshape") || shape == null || Nodes.integer(node, "allowzero", 0) != 0) {
        continue;
      }
      long[] sizes = Tensors.longs(shape);
      if (sizes.length > 1 && sizes[0] == batch && hasBatch.test(node.getInput(0))) {
        long[] freed = sizes.clone();
        freed[0] = 0;
        String name = node.getName() + "/shape";
        while (draft.constants.containsKey(name)) {
          name += "_";
        }
        draft.constants.put(name, Tensors.of(name, freed, freed.length));
        draft.nodes.set(i, node.toBuilder().setInput(1, name).build());
      }
    }
  }

  private static boolean beginsWithOne(List<Integer> shape) {
    return shape != null && !shape.isEmpty() && shape.get(0) == 1;
  }

  private static int classes(List<Integer> outputShape) {
    if (outputShape == null || outputShape.size() < 2 || outputShape.get(0) != 1) {
      throw GraphDraft.invalid(
          "the model's output has shape %s: a classifier's scores [batch, classes] are needed"
              .formatted(outputShape));
    }
    int classes = outputShape.stream().mapToInt(Integer::intValue).reduce(1, Math::multiplyExact);
    if (classes < 2 || classes > MOST_CLASSES || classes != outputShape.get(1)) {
      throw GraphDraft.invalid(
          "the model's output has shape %s: a classifier's scores [batch, classes] with two to a million classes are needed"
              .formatted(outputShape));
    }
    return classes;
  }

  private static Map<String, TensorProto> otherConstants(GraphDraft draft, List<GraphNode> nodes) {
    Map<String, TensorProto> constants = new HashMap<>();
    for (GraphNode node : nodes) {
      if (node instanceof GraphNode.Other other) {
        for (String name : Nodes.reads(other.node())) {
          TensorProto constant = draft.constants.get(name);
          if (constant != null) {
            constants.put(name, constant);
          }
        }
      }
    }
    return constants;
  }

  /** Parameters of other operators: scales, shifts and slopes, but no clip bounds or shapes. */
  private static long otherParameters(CnnGraph graph) {
    long sum = 0;
    Set<String> counted = new HashSet<>();
    for (GraphNode node : graph.nodes()) {
      if (node instanceof GraphNode.Other other) {
        boolean norm = Nodes.is(other.node(), "BatchNormalization");
        List<String> names = other.node().getInputList();
        for (String name : norm ? names.subList(0, 3) : names) {
          TensorProto tensor = graph.constants().get(name);
          if (tensor != null
              && Tensors.isFloat(tensor)
              && Tensors.elements(tensor) > 1
              && counted.add(name)) {
            sum += Tensors.elements(tensor);
          }
        }
      }
    }
    return sum;
  }
}
