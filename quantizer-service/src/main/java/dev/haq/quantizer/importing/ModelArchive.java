package dev.haq.quantizer.importing;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.haq.model.FullDisk;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.disk.DiskErrors;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * A zip of one ONNX file and the files that its tensors refer to, made into a single ONNX file. A
 * tensor can only refer to a file of the archive, at or below the ONNX file's folder, by that
 * file's exact name: nothing of the machine's own is ever opened under a name from a model.
 */
public final class ModelArchive {
  /** How the names begin of folders that archives are unpacked in for a while. */
  public static final String UNPACKED = "unpacked";

  private static final byte[] MAGIC = {'P', 'K', 3, 4};
  private static final int MOST_ENTRIES = 10_000;

  /** At most, of a field's tag and length. */
  private static final int FIELD_BYTES = 16;

  private final Map<String, ByteBuffer> files = new HashMap<>();
  private final String folder;

  private ModelArchive(String folder) {
    this.folder = folder;
  }

  public static boolean isArchive(Path file) throws IOException {
    try (InputStream content = Files.newInputStream(file)) {
      return java.util.Arrays.equals(content.readNBytes(MAGIC.length), MAGIC);
    }
  }

  /**
   * Writes the archive's model, with its data inside, to {@code target}.
   *
   * @param mostBytes of the archive unpacked
   * @throws HaqException INVALID_MODEL or TOO_LARGE
   */
  public static void merge(Path archive, Path target, long mostBytes) throws IOException {
    Path folder = Files.createTempDirectory(target.toAbsolutePath().getParent(), UNPACKED);
    try (ZipFile zip = ZipFile.builder().setPath(archive).get()) {
      merge(zip, folder, target, mostBytes);
    } catch (IOException | RuntimeException e) {
      if (e instanceof HaqException typed) {
        throw typed;
      }
      if (FullDisk.caused(e)) {
        throw DiskErrors.failed("the archive of the model cannot be unpacked", e);
      }
      throw new HaqException(
          Reason.INVALID_MODEL,
          "the archive of the model cannot be read (%s): pack and send it again"
              .formatted(String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
          e);
    } finally {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : (Iterable<Path>) files::iterator) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static void merge(ZipFile zip, Path folder, Path target, long mostBytes)
      throws IOException {
    List<ZipArchiveEntry> entries = new ArrayList<>(Collections.list(zip.getEntries()));
    entries.removeIf(entry -> entry.isDirectory() || isLeftover(entry.getName()));
    List<ZipArchiveEntry> models =
        entries.stream().filter(entry -> entry.getName().endsWith(".onnx")).toList();
    if (models.size() != 1 || entries.size() > MOST_ENTRIES) {
      throw GraphDraft.invalid(
          "the archive holds %d .onnx files among %d: pack one model and its data files"
              .formatted(models.size(), entries.size()));
    }
    String name = models.get(0).getName();
    ModelArchive merged = new ModelArchive(name.substring(0, name.lastIndexOf('/') + 1));
    long left = mostBytes;
    Path model = null;
    for (ZipArchiveEntry entry : entries) {
      // Numbered, so that no name from the archive becomes a path.
      Path file = folder.resolve(String.valueOf(merged.files.size()));
      left -= unpack(zip, entry, file, left);
      ByteBuffer content = OnnxReader.map(file);
      if (merged.files.put(entry.getName(), content) != null) {
        throw GraphDraft.invalid("the archive holds '%s' twice".formatted(entry.getName()));
      }
      model = entry.getName().equals(name) ? file : model;
    }
    try (SeekableByteChannel bytes = Files.newByteChannel(model)) {
      merged.write(OnnxReader.parse(bytes, mostBytes), target, mostBytes);
    }
  }

  /** What macOS packs beside each file: {@code __MACOSX/net/._model.onnx}. */
  private static boolean isLeftover(String entry) {
    List<String> parts = List.of(entry.split("/", -1));
    return parts.contains("__MACOSX") || parts.get(parts.size() - 1).startsWith("._");
  }

  private static long unpack(ZipFile zip, ZipArchiveEntry entry, Path file, long most)
      throws IOException {
    if (entry.isUnixSymlink() || !zip.canReadEntryData(entry)) {
      throw GraphDraft.invalid(
          "the archive holds '%s', a link or encrypted: pack the file itself"
              .formatted(entry.getName()));
    }
    long bytes = 0;
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = zip.getInputStream(entry);
        OutputStream out = Files.newOutputStream(file)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        bytes += read;
        if (bytes > most) {
          throw tooLarge();
        }
        out.write(buffer, 0, read);
      }
    }
    return bytes;
  }

  /** The bytes that a tensor refers to. */
  private ByteBuffer data(TensorProto tensor) {
    Map<String, String> place = new HashMap<>();
    for (StringStringEntryProto entry : tensor.getExternalDataList()) {
      place.put(entry.getKey(), entry.getValue());
    }
    String location = place.getOrDefault("location", "");
    ByteBuffer file = files.get(folder + location);
    if (file == null || location.isEmpty()) {
      throw GraphDraft.invalid(
          "tensor '%s' refers to '%s', which is not in the archive beside the model: pack it too"
              .formatted(tensor.getName(), location));
    }
    try {
      int offset = Integer.parseInt(place.getOrDefault("offset", "0"));
      String length = place.get("length");
      int bytes = length == null ? file.capacity() - offset : Integer.parseInt(length);
      return file.slice(offset, bytes);
    } catch (IndexOutOfBoundsException | NumberFormatException e) {
      throw new HaqException(
          Reason.INVALID_MODEL,
          "tensor '%s' refers to bytes that '%s' does not have: export the model again"
              .formatted(tensor.getName(), location),
          e);
    }
  }

  /**
   * Writes the model with the bytes of its tensors, which go from file to file: a message that
   * holds all of them would fill the memory.
   */
  private void write(ModelProto model, Path target, long mostBytes) throws IOException {
    GraphProto graph = model.getGraph();
    GraphProto rest = graph.toBuilder().clearInitializer().build();
    List<Packed> tensors = graph.getInitializerList().stream().map(this::packed).toList();
    long bytes = rest.getSerializedSize();
    for (Packed tensor : tensors) {
      bytes += tensor.bytes();
    }
    ModelProto outer = model.toBuilder().clearGraph().build();
    if (bytes + outer.getSerializedSize() + FIELD_BYTES > mostBytes) {
      throw tooLarge(); // tensors may share their bytes in the archive, not in one file
    }
    try (OutputStream file = new BufferedOutputStream(Files.newOutputStream(target), 1 << 16)) {
      CodedOutputStream out = CodedOutputStream.newInstance(file);
      outer.writeTo(out);
      out.writeTag(ModelProto.GRAPH_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      out.writeUInt32NoTag((int) bytes);
      rest.writeTo(out);
      for (Packed tensor : tensors) {
        tensor.write(out);
      }
      out.flush();
    }
  }

  private Packed packed(TensorProto tensor) {
    if (tensor.getDataLocation() != TensorProto.DataLocation.EXTERNAL) {
      return new Packed(tensor, Optional.empty());
    }
    return new Packed(
        tensor.toBuilder().clearRawData().clearExternalData().clearDataLocation().build(),
        Optional.of(data(tensor)));
  }

  /**
   * A tensor of the graph as it is written.
   *
   * @param data what its bytes are when they are not in the message
   */
  private record Packed(TensorProto tensor, Optional<ByteBuffer> data) {
    /** Of the message inside its field. */
    private long size() {
      return tensor.getSerializedSize()
          + data.map(d -> field(TensorProto.RAW_DATA_FIELD_NUMBER, d.remaining())).orElse(0L);
    }

    /** Of the whole field; more than fits where that is so. */
    long bytes() {
      return field(GraphProto.INITIALIZER_FIELD_NUMBER, size());
    }

    private static long field(int number, long bytes) {
      return CodedOutputStream.computeTagSize(number)
          + CodedOutputStream.computeUInt64SizeNoTag(bytes)
          + bytes;
    }

    void write(CodedOutputStream out) throws IOException {
      out.writeTag(GraphProto.INITIALIZER_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
      out.writeUInt32NoTag((int) size());
      tensor.writeTo(out);
      if (data.isPresent()) {
        out.writeTag(TensorProto.RAW_DATA_FIELD_NUMBER, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        out.writeUInt32NoTag(data.get().remaining());
        out.writeRawBytes(data.get().duplicate());
      }
    }
  }

  private static HaqException tooLarge() {
    return new HaqException(
        Reason.TOO_LARGE, "the model unpacks to more bytes than this service takes");
  }
}
