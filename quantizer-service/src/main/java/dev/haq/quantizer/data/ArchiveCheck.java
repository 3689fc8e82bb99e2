package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
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

  private final ArchiveLimits limits;
  private long unpackedBytes;

  private ArchiveCheck(ArchiveLimits limits) {
    this.limits = limits;
  }

  /**
   * @throws HaqException INVALID_DATASET or TOO_LARGE naming the entry
   */
  static void check(Path archive, ArchiveLimits limits) {
    try (ZipFile zip = ZipFile.builder().setPath(archive).get()) {
      new ArchiveCheck(limits).check(zip);
    } catch (IOException | IllegalArgumentException e) {
      throw new HaqException(
          Reason.INVALID_DATASET,
          "the archive is not a readable zip file: " + firstLine(e) + "; pack and send it again",
          e);
    }
  }

  private void check(ZipFile zip) throws IOException {
    List<ZipArchiveEntry> entries = Collections.list(zip.getEntries());
    if (entries.size() > limits.entries()) {
      throw tooLarge("has " + entries.size() + " entries, more than " + limits.entries());
    }
    Set<String> names = new HashSet<>();
    for (ZipArchiveEntry entry : entries) {
      checkName(entry.getName());
      if (!names.add(entry.getName())) {
        throw invalid("has two entries named '" + entry.getName() + "'");
      }
      if (entry.isUnixSymlink()) {
        throw invalid("holds a link, '" + entry.getName() + "': pack the file itself");
      }
      if (!zip.canReadEntryData(entry)) {
        throw invalid("holds '" + entry.getName() + "', encrypted or packed in an unknown way");
      }
      if (!entry.isDirectory()) {
        unpack(zip, entry);
      }
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

  private void unpack(ZipFile zip, ZipArchiveEntry entry) throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    long bytes = 0;
    try (InputStream content = zip.getInputStream(entry)) {
      for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
        bytes += read;
        unpackedBytes += read;
        if (bytes > limits.entryBytes()) {
          throw tooLarge(
              "holds '" + entry.getName() + "', larger than " + limits.entryBytes() + " bytes");
        }
        if (unpackedBytes > limits.unpackedBytes()) {
          throw tooLarge("unpacks to more than " + limits.unpackedBytes() + " bytes");
        }
        if (bytes > RATIO_FLOOR_BYTES
            && bytes / limits.ratio() > Math.max(1, entry.getCompressedSize())) {
          throw invalid(
              "holds '" + entry.getName() + "', packed more than " + limits.ratio() + " to 1");
        }
      }
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
