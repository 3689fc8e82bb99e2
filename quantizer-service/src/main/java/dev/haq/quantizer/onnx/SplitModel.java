package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OrtSession;
import dev.haq.quantizer.disk.DiskErrors;
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
 * A large model opened without a copy of its weights in memory: they are written to a file, which
 * ONNX Runtime maps, and only the rest of the model is handed over. To be closed after the session.
 */
final class SplitModel implements AutoCloseable {
  /** What a smaller model's copies take does not matter. */
  private static final long LARGE_BYTES = 32L << 20;

  private static final int LARGE_TENSOR_BYTES = 1 << 16;

  /** Mappings begin at pages. */
  private static final int PAGE = 4096;

  private static final String WEIGHTS = "weights";

  private final Path folder;

  /** The open model. */
  final OrtSession session;

  private SplitModel(Path folder, OrtSession session) {
    this.folder = folder;
    this.session = session;
  }

  static SplitModel open(ModelProto model, Ort.Rewriting rewriting) {
    long bytes =
        model.getGraph().getInitializerList().stream().mapToLong(t -> t.getRawData().size()).sum();
    if (bytes < LARGE_BYTES) {
      return new SplitModel(null, Ort.open(model.toByteArray(), rewriting));
    }
    Path folder = null;
    try {
      folder = Files.createTempDirectory("haq-model");
      ModelProto rest = split(model, folder.resolve(WEIGHTS));
      return new SplitModel(folder, Ort.open(rest.toByteArray(), rewriting, folder));
    } catch (IOException e) {
      delete(folder);
      throw DiskErrors.failed("the model's weights cannot be written to the temporary folder", e);
    } catch (RuntimeException e) {
      delete(folder);
      throw e;
    }
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

  @Override
  public void close() {
    try {
      session.close();
    } catch (ai.onnxruntime.OrtException e) {
      throw Ort.refused(e);
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) {
    if (folder == null) {
      return;
    }
    try {
      Files.deleteIfExists(folder.resolve(WEIGHTS));
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
