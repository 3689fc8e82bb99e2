package dev.haq.quantizer.grpc;

import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.quantizer.disk.Abandoned;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.export.ExportedFile;
import dev.haq.wire.DataWire;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Exported files as they are sent: what is said of them, and their bytes, kept on disk. */
final class ExportedFiles {
  /** Smaller ones are held in memory. */
  private static final int SMALL_BYTES = 64 * 1024;

  private static final String SUFFIX = ".part";

  private final Path folder;

  /**
   * @param folder that replicas may share
   */
  ExportedFiles(Path folder) {
    this.folder = folder;
    try {
      Files.createDirectories(folder);
      Abandoned.remove(folder, file -> file.toString().endsWith(SUFFIX));
    } catch (IOException e) {
      throw failed(e);
    }
  }

  static ExportResponse header(ExportedFile file) {
    ExportResponse.Header.Builder header =
        ExportResponse.Header.newBuilder()
            .setFileName(file.name())
            .setMediaType(file.mediaType())
            .setSizeBytes(file.content().size())
            .addAllNotes(file.notes());
    file.fileAccuracy().ifPresent(a -> header.setFileAccuracy(DataWire.toProto(a)));
    file.evaluatedAccuracy().ifPresent(a -> header.setEvaluatedAccuracy(DataWire.toProto(a)));
    return ExportResponse.newBuilder().setHeader(header).build();
  }

  /**
   * Puts the content in a file of its own, which is gone when it is closed, or the process is: a
   * reader may be slow, and the memory is for those that compute.
   */
  InputStream onDisk(ByteString content) {
    if (content.size() <= SMALL_BYTES) {
      return content.newInput();
    }
    try {
      Path path = Files.createTempFile(folder, "export", SUFFIX);
      FileChannel file =
          FileChannel.open(
              path,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
      try {
        content.writeTo(Channels.newOutputStream(file));
        return Channels.newInputStream(file.position(0));
      } catch (IOException e) {
        file.close();
        throw e;
      }
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private HaqException failed(IOException e) {
    return DiskErrors.failed("exported files cannot be kept in " + folder, e);
  }
}
