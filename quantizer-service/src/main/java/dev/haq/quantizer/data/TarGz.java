package dev.haq.quantizer.data;

import dev.haq.model.FullDisk;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.disk.DiskErrors;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;

/**
 * A tar.gz repacked as a zip, whose files can be read in any order and by many threads. It is held
 * to the same rules as an uploaded zip; nothing is unpacked to a path of the archive's choosing.
 */
final class TarGz {
  /** Room for one entry's header, long name and attributes. */
  private static final long HEADER_BYTES = 1 << 20;

  private static final int BUFFER_BYTES = 1 << 16;

  private TarGz() {}

  /**
   * @throws HaqException INVALID_DATASET or TOO_LARGE naming the entry
   */
  static void toZip(Path archive, Path target, ArchiveLimits limits) throws IOException {
    ArchiveCheck check = new ArchiveCheck(limits);
    try (Budget packed =
            new Budget(new BufferedInputStream(Files.newInputStream(archive), BUFFER_BYTES));
        Budget content =
            new Budget(
                GzipCompressorInputStream.builder()
                    .setInputStream(packed)
                    .setDecompressConcatenated(true)
                    .get());
        TarArchiveInputStream tar = new TarArchiveInputStream(content);
        OutputStream file = new BufferedOutputStream(Files.newOutputStream(target), BUFFER_BYTES);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      zip.setLevel(Deflater.NO_COMPRESSION); // images do not pack
      packed.allow(Long.MAX_VALUE);
      content.allow(HEADER_BYTES);
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        String name =
            entry.getName().startsWith("./") ? entry.getName().substring(2) : entry.getName();
        if (!name.isEmpty()) {
          boolean plain = entry.isFile() || entry.isDirectory();
          check.take(name, !plain || entry.isLink() || entry.isSymbolicLink() || entry.isSparse());
          zip.putNextEntry(new ZipEntry(name));
          if (!entry.isDirectory()) {
            content.allow(HEADER_BYTES + entry.getSize());
            long before = packed.read;
            check.unpack(tar, name, () -> packed.read - before + BUFFER_BYTES, zip);
          }
          zip.closeEntry();
        }
        content.allow(HEADER_BYTES);
      }
    } catch (IOException | RuntimeException e) {
      if (e instanceof HaqException typed) {
        throw typed;
      }
      if (FullDisk.caused(e)) {
        throw DiskErrors.failed("the tar.gz cannot be repacked", e);
      }
      throw new HaqException(
          Reason.INVALID_DATASET,
          "the archive is not a readable tar.gz: "
              + Optional.ofNullable(e.getMessage())
                  .flatMap(message -> message.lines().findFirst())
                  .orElse("it ends too early")
              + "; pack and send it again",
          e);
    }
  }

  /** A stream that ends with an error when more is read than was allowed; it counts, too. */
  private static final class Budget extends FilterInputStream {
    private long read;
    private long allowed = Long.MAX_VALUE;

    Budget(InputStream in) {
      super(in);
    }

    void allow(long bytes) {
      allowed = bytes;
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      count(value < 0 ? 0 : 1);
      return value;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int count = super.read(target, offset, length);
      count(Math.max(count, 0));
      return count;
    }

    @Override
    public long skip(long bytes) throws IOException {
      long skipped = super.skip(bytes);
      count(skipped);
      return skipped;
    }

    private void count(long bytes) throws IOException {
      read += bytes;
      allowed -= bytes;
      if (allowed < 0) {
        throw new IOException("an entry is longer than it says");
      }
    }
  }
}
