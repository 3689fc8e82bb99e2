package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * Refuses hostile zip archives before anything else reads them: paths that lead out of the archive,
 * links, encrypted or repeated entries, too many or too large ones, and bombs. Sizes are counted
 * while unpacking, not taken from the archive's own word. Nothing is written.
 */
final class ArchiveCheck {
  private static final int BUFFER_BYTES = 1 << 16;

  /** Below this an odd ratio does no harm. */
  private static final long RATIO_FLOOR_BYTES = 1 << 20;

  private static final String ENTRIES =
      "limits.entries (HAQ_QUANTIZER_MAX_ENTRIES) of this service";

  private final ArchiveLimits limits;
  private final Set<String> names = new HashSet<>();
  private long unpackedBytes;

  /** Counts what the entries of one archive come to. */
  ArchiveCheck(ArchiveLimits limits) {
    this.limits = limits;
  }

  /**
   * @throws HaqException INVALID_DATASET or TOO_LARGE naming the entry
   */
  static void check(Path archive, ArchiveLimits limits) {
    try (ZipFile zip = ZipFiles.open(archive)) {
      new ArchiveCheck(limits).check(zip);
    } catch (IOException | RuntimeException e) {
      // Damaged archives are answered with any of several runtime exceptions.
      if (e instanceof HaqException typed) {
        throw typed;
      }
      throw new HaqException(
          Reason.INVALID_DATASET,
          "the archive is not a readable zip file: " + firstLine(e) + "; pack and send it again",
          e);
    }
  }

  private void check(ZipFile zip) throws IOException {
    List<ZipArchiveEntry> entries = Collections.list(zip.getEntries());
    if (entries.size() > limits.entries()) {
      throw tooLarge(
          "has %d entries, more than %d, the %s"
              .formatted(entries.size(), limits.entries(), ENTRIES));
    }
    for (ZipArchiveEntry entry : entries) {
      take(entry.getName(), entry.isUnixSymlink());
      if (!zip.canReadEntryData(entry)) {
        throw invalid("holds '" + entry.getName() + "', encrypted or packed in an unknown way");
      }
      if (!entry.isDirectory()) {
        try (InputStream content = zip.getInputStream(entry)) {
          unpack(
              content, entry.getName(), entry::getCompressedSize, OutputStream.nullOutputStream());
        }
      }
    }
  }

  /**
   * Notes an entry of the archive.
   *
   * @throws HaqException INVALID_DATASET when its name leads out of the archive or came before, or
   *     it is a link; TOO_LARGE when there are too many
   */
  void take(String name, boolean link) {
    checkName(name);
    if (!names.add(name)) {
      throw invalid("has two entries named '" + name + "'");
    }
    if (names.size() > limits.entries()) {
      throw tooLarge("has more than %d entries, the %s".formatted(limits.entries(), ENTRIES));
    }
    if (link) {
      throw invalid("holds a link, '" + name + "': pack the file itself");
    }
  }

  private static void checkName(String name) {
    boolean leadsOut =
        name.isEmpty()
            || name.startsWith("/")
            || name.indexOf('\\') >= 0
            || name.indexOf('\0') >= 0
            || name.matches("[A-Za-z]:.*")
            || Arrays.asList(name.split("/", -1)).contains("..");
    if (leadsOut) {
      throw invalid("holds the path '" + name + "', which leads out of it");
    }
  }

  /**
   * Copies an entry's content, counting its bytes.
   *
   * @param packedBytes how many bytes of the archive it took so far
   */
  void unpack(InputStream content, String name, LongSupplier packedBytes, OutputStream target)
      throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    long bytes = 0;
    for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
      bytes += read;
      unpackedBytes += read;
      if (unpackedBytes > limits.unpackedBytes()) {
        throw tooLarge(
            "unpacks to more than "
                + limits.unpackedBytes()
                + " bytes, the limits.unpacked-bytes (HAQ_QUANTIZER_MAX_UNPACKED_BYTES) of this service");
      }
      if (bytes > limits.entryBytes()) {
        throw tooLarge(
            "holds '%s', larger than %d bytes, the limits.entry-bytes (HAQ_QUANTIZER_MAX_ENTRY_BYTES) of this service"
                .formatted(name, limits.entryBytes()));
      }
      if (bytes > RATIO_FLOOR_BYTES
          && bytes / limits.ratio() > Math.max(1, packedBytes.getAsLong())) {
        throw invalid(
            "holds '%s', packed more than %d to 1, the limits.packing-ratio (HAQ_QUANTIZER_MAX_PACKING_RATIO) of this service"
                .formatted(name, limits.ratio()));
      }
      target.write(buffer, 0, read);
    }
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  private static HaqException invalid(String what) {
    return new HaqException(
        Reason.INVALID_DATASET, "the archive " + what.replaceAll("\\p{Cntrl}", "?"));
  }

  private static HaqException tooLarge(String what) {
    return new HaqException(Reason.TOO_LARGE, "the archive " + what + ": send less at once");
  }
}
