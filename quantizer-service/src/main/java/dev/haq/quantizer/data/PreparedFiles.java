package dev.haq.quantizer.data;

import dev.haq.quantizer.disk.FilesOf;
import dev.haq.quantizer.disk.Sha256;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder of prepared pixels that replicas share: one {@link PreparedFile} for a dataset and a
 * way of preparing it, named after both. When there is more than the bound, those used least
 * recently are removed; whoever still reads one keeps it. All of it can be done without.
 */
final class PreparedFiles {
  /** To be raised when the same image comes to be prepared otherwise than before. */
  private static final int VERSION = 1;

  private static final String SUFFIX = ".pixels";
  private static final Logger LOG = LoggerFactory.getLogger(PreparedFiles.class);

  private final Path folder;
  private final long mostBytes;

  PreparedFiles(Path folder, long mostBytes) {
    this.folder = folder;
    this.mostBytes = mostBytes;
  }

  /** The file, made if there is none; empty where the disk refuses it. To be closed. */
  Optional<PreparedFile> open(String dataset, int images, Geometry geometry) {
    Path file = file(dataset, geometry);
    try {
      Files.createDirectories(folder);
      makeRoom(file, PreparedFile.bytes(images, geometry.bytes()));
      PreparedFile opened = PreparedFile.open(file, images, geometry.bytes());
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
      return Optional.of(opened);
    } catch (IOException e) {
      LOG.warn("prepared images cannot be kept in {}; they are decoded when read", folder, e);
      return Optional.empty();
    }
  }

  /**
   * Takes over a file that was made elsewhere; where the disk refuses it, images are prepared when
   * they are wanted.
   */
  void adopt(Path made, String dataset, Geometry geometry) {
    try {
      Files.createDirectories(folder);
      Files.move(made, file(dataset, geometry), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      LOG.warn("the images that were prepared at import cannot be kept in {}", folder, e);
    }
  }

  /** Whether so much is no more than is kept at once. */
  boolean mayKeep(long bytes) {
    return bytes <= mostBytes;
  }

  /** Whether the disk has room for so much more. */
  boolean hasRoom(long bytes) {
    try {
      Files.createDirectories(folder);
      return bytes <= Files.getFileStore(folder).getUsableSpace();
    } catch (IOException e) {
      return false;
    }
  }

  /** Removes what is kept of a dataset. */
  void remove(String dataset) {
    FilesOf.remove(folder, dataset);
  }

  private Path file(String dataset, Geometry geometry) {
    String key = new Sha256().add("v" + VERSION + " " + dataset + " " + geometry.text()).hex();
    return folder.resolve(FilesOf.name(key, dataset) + SUFFIX);
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
}
