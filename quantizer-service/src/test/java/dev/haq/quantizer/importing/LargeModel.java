package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.haq.quantizer.onnx.Nodes;
import dev.haq.quantizer.onnx.Tensors;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a classifier of about as many megabytes as it is told, to try what large models need: on
 * 32x32 colour images, convolutions of up to 2048 channels on 4x4 maps, every other one with a
 * batch-norm, and a fully connected layer.
 *
 * <pre>LargeModel TARGET.onnx|TARGET.zip MEGABYTES</pre>
 *
 * A zip holds the model and its weights in a file beside it. The weights lie in a file {@code
 * TARGET.weights} meanwhile, so this program takes little memory.
 */
public final class LargeModel {
  private static final int CHANNELS = 2048;
  private static final int CLASSES = 10;
  private static final long LAYER_BYTES = 9L * CHANNELS * CHANNELS * Float.BYTES;

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("large");
  private final FileChannel weights;
  private final Random random = new Random(1);
  private long written;

  private LargeModel(FileChannel weights) {
    this.weights = weights;
  }

  public static void main(String[] args) throws IOException {
    Path target = Path.of(args[0]);
    int layers = (int) Math.max(1, (Long.parseLong(args[1]) << 20) / LAYER_BYTES);
    Path file = Path.of(args[0] + ".weights");
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE)) {
      ModelProto model = new LargeModel(channel).network(layers);
      if (args[0].endsWith(".zip")) {
        zip(model, file, target);
      } else {
        Path zip = Path.of(args[0] + ".zip");
        zip(model, file, zip);
        ModelArchive.merge(zip, target, Integer.MAX_VALUE);
        Files.delete(zip);
      }
    } finally {
      Files.delete(file);
    }
  }

  private ModelProto network(int layers) throws IOException {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    shape.addDimBuilder().setDimParam("batch");
    for (int size : new int[] {3, 32, 32}) {
      shape.addDimBuilder().setDimValue(size);
    }
    graph.addInput(
        ValueInfoProto.newBuilder()
            .setName("image")
            .setType(
                TypeProto.newBuilder()
                    .setTensorType(
                        TypeProto.Tensor.newBuilder()
                            .setElemType(TensorProto.DataType.FLOAT.getNumber())
                            .setShape(shape))));
    String features = convolution("stem", "image", 3, 8, false);
    for (int i = 0; i < layers; i++) {
      features = convolution("conv" + i, features, CHANNELS, 1, i % 2 == 1);
    }
    node("GlobalAveragePool", "pool", "pooled", features);
    node("Flatten", "flatten", "flat", "pooled");
    node("Gemm", "classifier", "scores", "flat", tensor("classifier.weight", 1, CHANNELS, CLASSES));
    graph.addOutput(ValueInfoProto.newBuilder().setName("scores"));
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(13))
        .setGraph(graph)
        .build();
  }

  private String convolution(String name, String input, int inputs, int stride, boolean norm)
      throws IOException {
    String weight =
        tensor(name + ".weight", (float) Math.sqrt(2.0 / (9 * inputs)), CHANNELS, inputs, 3, 3);
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType("Conv")
            .setName(name)
            .addInput(input)
            .addInput(weight)
            .addOutput(name + ".out")
            .addAttribute(Nodes.ints("kernel_shape", 3, 3))
            .addAttribute(Nodes.ints("strides", stride, stride))
            .addAttribute(Nodes.ints("pads", 1, 1, 1, 1)));
    String out = name + ".out";
    if (norm) {
      List<String> inputsOfNorm = new ArrayList<>(List.of(out));
      for (String parameter : List.of("gamma", "beta", "mean", "variance")) {
        float value = parameter.equals("gamma") || parameter.equals("variance") ? 1 : 0;
        float[] values = new float[CHANNELS];
        java.util.Arrays.fill(values, value);
        graph.addInitializer(Tensors.of(name + "." + parameter, values, CHANNELS));
        inputsOfNorm.add(name + "." + parameter);
      }
      node(
          "BatchNormalization",
          name + ".norm",
          name + ".normed",
          inputsOfNorm.toArray(String[]::new));
      out = name + ".normed";
    }
    node("Relu", name + ".relu", name + ".positive", out);
    return name + ".positive";
  }

  private void node(String type, String name, String output, String... inputs) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(type)
            .setName(name)
            .addAllInput(List.of(inputs))
            .addOutput(output));
  }

  /** Random weights of about {@code scale}, uniform, at the end of the file. */
  private String tensor(String name, float scale, int... dims) throws IOException {
    long elements = 1;
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT.getNumber())
            .setDataLocation(TensorProto.DataLocation.EXTERNAL);
    for (int dim : dims) {
      tensor.addDims(dim);
      elements *= dim;
    }
    long bytes = elements * Float.BYTES;
    tensor
        .addExternalData(entry("location", "weights.bin"))
        .addExternalData(entry("offset", Long.toString(written)))
        .addExternalData(entry("length", Long.toString(bytes)));
    ByteBuffer chunk = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    for (long left = elements; left > 0; ) {
      chunk.clear();
      for (; chunk.hasRemaining() && left > 0; left--) {
        chunk.putFloat((random.nextFloat() * 2 - 1) * scale * 1.7f);
      }
      chunk.flip();
      while (chunk.hasRemaining()) {
        written += weights.write(chunk, written);
      }
    }
    graph.addInitializer(tensor);
    return name;
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  private static void zip(ModelProto model, Path weights, Path target) throws IOException {
    try (ZipOutputStream zip =
        new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(target), 1 << 16))) {
      zip.setLevel(Deflater.NO_COMPRESSION);
      zip.putNextEntry(new ZipEntry("large.onnx"));
      model.writeTo(zip);
      zip.closeEntry();
      zip.putNextEntry(new ZipEntry("weights.bin"));
      Files.copy(weights, zip);
      zip.closeEntry();
    }
  }
}
