package dev.haq.quantizer.onnx;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.haq.quantizer.disk.Abandoned;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The weights of a large model in a file, which ONNX Runtime maps: so it is opened without further
 * copies of them in memory. To be closed once the session is open; what is mapped stays.
 */
public final class MappedWeights implements AutoCloseable {
  /** What a smaller model's copies take does not matter, and a file would take longer. */
  private static final long LARGE_BYTES = 32L << 20;

  private static final int LARGE_TENSOR_BYTES = 1 << 16;

  /** Mappings begin at pages. */
  private static final int PAGE = 4096;

  private static final String FOLDER = "haq-model";
  private static final String WEIGHTS = "weights";
  private static final Logger LOG = LoggerFactory.getLogger(MappedWeights.class);

  private final Path folder;
  private ModelProto rest;

  private MappedWeights() throws IOException {
    folder = Files.createTempDirectory(FOLDER);
  }

  /**
   * Removes files that killed processes of the same user left in the temporary folder: others may
   * put there what they like under such a name.
   */
  public static void removeAbandoned() {
    try {
      Path own = Files.createTempDirectory(FOLDER);
      try {
        UserPrincipal user = Files.getOwner(own);
        Abandoned.remove(own.getParent(), entry -> isFolderOf(user, entry));
      } finally {
        Files.deleteIfExists(own);
      }
    } catch (IOException | UncheckedIOException e) {
      LOG.debug("the temporary folder cannot be cleared of abandoned weights", e);
    }
  }

  private static boolean isFolderOf(UserPrincipal user, Path entry) {
    try {
      return entry.getFileName().toString().startsWith(FOLDER)
          && Files.getOwner(entry, LinkOption.NOFOLLOW_LINKS).equals(user);
    } catch (IOException e) {
      return false; // it is gone
    }
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
