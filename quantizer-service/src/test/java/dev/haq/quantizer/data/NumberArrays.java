package dev.haq.quantizer.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/** NumPy, IDX and tar.gz files for tests, written from their definitions. */
public final class NumberArrays {
  private NumberArrays() {}

  /** Version 1.0 of the format: a head padded to 64 bytes, then the numbers. */
  public static byte[] npy(String descr, String shape, byte[] numbers) {
    String head = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
    int length = (10 + head.length() + 1 + 63) / 64 * 64 - 10;
    head = head + " ".repeat(length - head.length() - 1) + "\n";
    return ByteBuffer.allocate(10 + length + numbers.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) 0x93)
        .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
        .put((byte) 1)
        .put((byte) 0)
        .putShort((short) length)
        .put(head.getBytes(StandardCharsets.US_ASCII))
        .put(numbers)
        .array();
  }

  public static byte[] npz(byte[] images, byte[] labels) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put("images.npy", images);
    files.put("labels.npy", labels);
    return Samples.zip(files);
  }

  public static byte[] idx(byte[] numbers, int... dims) {
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * dims.length + numbers.length);
    file.putShort((short) 0).put((byte) 8).put((byte) dims.length);
    for (int dim : dims) {
      file.putInt(dim);
    }
    return file.put(numbers).array();
  }

  public static byte[] gzip(byte[] content) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(content);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }

  public static byte[] tarGz(Map<String, byte[]> files) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        // GNU's way of giving the entry that follows a long name.
        boolean longName = file.getKey().equals("././@LongLink");
        TarArchiveEntry entry =
            longName
                ? new TarArchiveEntry(file.getKey(), TarConstants.LF_GNUTYPE_LONGNAME)
                : new TarArchiveEntry(file.getKey(), true);
        entry.setSize(file.getValue().length);
        tar.putArchiveEntry(entry);
        tar.write(file.getValue());
        tar.closeArchiveEntry();
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return gzip(bytes.toByteArray());
  }
}
