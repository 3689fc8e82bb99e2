package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The weights of a large model in a file, which ONNX Runtime maps: so it is opened without further
 * copies of them in memory. To be closed once the session is open; what is mapped stays.
 */
final class MappedWeights implements AutoCloseable {
  /** What a smaller model's copies take does not matter, and a file would take longer. */
  private static final long LARGE_BYTES = 32L << 20;

  private static final int LARGE_TENSOR_BYTES = 1 << 16;

  /** Mappings begin at pages. */
  private static final int PAGE = 4096;

  private static final String WEIGHTS = "weights";

  private final Path folder;
  private ModelProto rest;

  private MappedWeights() throws IOException {
    folder = Files.createTempDirectory("haq-model");
  }

  static boolean areLarge(ModelProto model) {
    return model.getGraph().getInitializerList().stream()
            .mapToLong(tensor -> tensor.getRawData().size())
            .sum()
        >= LARGE_BYTES;
  }

  /**
   * @throws IOException when the temporary folder cannot be written to; nothing is left there
   */
  static MappedWeights of(ModelProto model) throws IOException {
    MappedWeights weights = new MappedWeights();
    try {
      weights.rest = split(model, weights.folder.resolve(WEIGHTS));
      return weights;
    } catch (IOException | RuntimeException | Error e) {
      weights.close();
      throw e;
    }
  }

  /** Where the file is. */
  Path folder() {
    return folder;
  }

  /** The model, its large tensors referring to the file. */
  ModelProto rest() {
    return rest;
  }

  private static ModelProto split(ModelProto model, Path file) throws IOException {
    List<TensorProto> tensors = new ArrayList<>();
    long place = 0;
    try (FileChannel out =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      for (TensorProto tensor : model.getGraph().getInitializerList()) {
        int size = tensor.getRawData().size();
        if (size < LARGE_TENSOR_BYTES) {
          tensors.add(tensor);
          continue;
        }
        ByteBuffer data = tensor.getRawData().asReadOnlyByteBuffer();
        long at = place;
        while (data.hasRemaining()) {
          at += out.write(data, at);
        }
        tensors.add(
            tensor.toBuilder()
                .clearRawData()
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", WEIGHTS))
                .addExternalData(entry("offset", Long.toString(place)))
                .addExternalData(entry("length", Integer.toString(size)))
                .build());
        place = (at + PAGE - 1) / PAGE * PAGE;
      }
    }
    GraphProto.Builder graph = model.getGraph().toBuilder();
    return model.toBuilder().setGraph(graph.clearInitializer().addAllInitializer(tensors)).build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /** Removes the file, whose mappings outlive its name. */
  @Override
  public void close() {
    try {
      Files.deleteIfExists(folder.resolve(WEIGHTS));
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
