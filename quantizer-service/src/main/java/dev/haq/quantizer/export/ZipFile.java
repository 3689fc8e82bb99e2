package dev.haq.quantizer.export;

import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.time.LocalDateTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** A few files as one. The same files give the same bytes. */
final class ZipFile {
  /** The first moment that a zip can name: when a file was exported is not part of it. */
  private static final LocalDateTime NO_TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private ZipFile() {}

  static ByteString of(Map<String, byte[]> files) {
    ByteString.Output bytes = ByteString.newOutput();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        ZipEntry entry = new ZipEntry(file.getKey());
        entry.setTimeLocal(NO_TIME);
        zip.putNextEntry(entry);
        zip.write(file.getValue());
        zip.closeEntry();
      }
    } catch (IOException e) {
      throw failed(e);
    }
    return bytes.toByteString();
  }

  /** What {@link #of} packed. */
  static Map<String, byte[]> files(ByteString packed) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(packed.newInput())) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        files.put(entry.getName(), zip.readAllBytes());
      }
    } catch (IOException e) {
      throw failed(e);
    }
    return files;
  }

  private static HaqException failed(IOException e) {
    return new HaqException(Reason.INTERNAL, "an archive cannot be packed", e);
  }
}
