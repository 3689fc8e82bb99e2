package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * The folder of prepared pixels that replicas share: one {@link PreparedFile} for a dataset and a
 * way of preparing it, named after the SHA-256 of both. When there is more than the bound, those
 * used least recently are removed; whoever still reads one keeps it.
 */
final class PreparedFiles {
  /** To be raised when the same image comes to be prepared otherwise than before. */
  private static final int VERSION = 1;

  private static final String SUFFIX = ".pixels";

  private final Path folder;
  private final long mostBytes;

  PreparedFiles(Path folder, long mostBytes) {
    this.folder = folder;
    this.mostBytes = mostBytes;
  }

  PreparedFile open(String dataset, int images, Geometry geometry) {
    String key = "v" + VERSION + " " + dataset + " " + geometry.text();
    Path file = folder.resolve(sha256(key) + SUFFIX);
    try {
      Files.createDirectories(folder);
      makeRoom(file, PreparedFile.bytes(images, geometry.bytes()));
      PreparedFile opened = PreparedFile.open(file, images, geometry.bytes());
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      return opened;
    } catch (IOException e) {
      throw DatasetStore.failed("prepared images cannot be kept in " + folder, e);
    }
  }

  /**
   * @throws HaqException TOO_LARGE when the disk has no room for {@code bytes} more
   */
  void requireRoom(long bytes) {
    try {
      long free = Files.getFileStore(folder).getUsableSpace();
      if (bytes > free) {
        throw new HaqException(
            Reason.TOO_LARGE,
            "the prepared images take %d MB of disk, %d MB are free: choose fewer images"
                .formatted(bytes >> 20, free >> 20));
      }
    } catch (IOException e) {
      throw DatasetStore.failed("prepared images cannot be kept in " + folder, e);
    }
  }

  private void makeRoom(Path wanted, long bytes) throws IOException {
    record Kept(Path file, long bytes, FileTime used) {}
    List<Kept> others = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (file.toString().endsWith(SUFFIX) && !file.equals(wanted)) {
          try {
            others.add(new Kept(file, Files.size(file), Files.getLastModifiedTime(file)));
          } catch (NoSuchFileException e) {
            // Another replica made room.
          }
        }
      }
    }
    others.sort(Comparator.comparing(Kept::used));
    long sum = bytes + others.stream().mapToLong(Kept::bytes).sum();
    for (Kept oldest : others) {
      if (sum <= mostBytes) {
        return;
      }
      Files.deleteIfExists(oldest.file());
      sum -= oldest.bytes();
    }
  }

  private static String sha256(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java has SHA-256", e);
    }
  }
}
