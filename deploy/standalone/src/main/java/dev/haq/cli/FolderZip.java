package dev.haq.cli;

import dev.haq.model.FullDisk;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.wire.PreprocessingFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipOutputStream;

/**
 * Packs a folder of class folders into one archive, the same bytes for the same files: entries
 * sorted by name, one fixed time, stored as they are (images do not deflate). So the archive's
 * digest names the data.
 */
final class FolderZip {
  /** The earliest time a zip entry can carry. */
  private static final LocalDateTime TIME = LocalDateTime.of(1980, 1, 1, 0, 0);

  private static final String CLASSES = "classes.txt";

  /** What stands for the bytes of a name that are no characters. */
  private static final char UNREADABLE = '\uFFFD';

  private FolderZip() {}

  /**
   * Writes the archive to {@code zip}, with {@code classes.txt} and the preprocessing file when
   * they are in the folder or one level above it.
   *
   * @throws HaqException INVALID_DATASET when {@code folder} holds no folder with a file in it, or
   *     cannot be read; DISK_FULL when there is no room for the archive
   */
  static void pack(Path folder, Path zip) {
    try {
      Map<String, Path> entries = entries(folder);
      if (entries.values().stream().allMatch(Files::isDirectory)) {
        throw new HaqException(
            Reason.INVALID_DATASET,
            "no images in "
                + folder
                + ": it needs one folder a class, with PNG or JPEG files (two IDX files: pack them"
                + " in a zip and give that)");
      }
      companion(folder, CLASSES).ifPresent(file -> entries.put(CLASSES, file));
      Optional<Preprocessing> preprocessing = PreprocessFile.beside(folder);
      try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
        for (Map.Entry<String, Path> entry : entries.entrySet()) {
          Path file = entry.getValue();
          if (Files.isDirectory(file)) {
            write(out, entry.getKey(), new byte[0]);
          } else {
            copy(out, entry.getKey(), file);
          }
        }
        if (preprocessing.isPresent()) {
          // Every key, always the same text; JSON is YAML too.
          String text = PreprocessingFile.write(preprocessing.get()).toPrettyString();
          write(out, PreprocessingFile.NAMES.get(0), text.getBytes(StandardCharsets.UTF_8));
        }
      }
    } catch (IOException e) {
      if (FullDisk.caused(e)) {
        throw noRoom(folder, zip, e);
      }
      throw cannotRead(folder, e);
    } catch (UncheckedIOException e) {
      throw cannotRead(folder, e.getCause()); // met on the walk
    }
  }

  private static HaqException cannotRead(Path folder, IOException cause) {
    String place = String.valueOf(cause.getMessage());
    String why =
        cause instanceof FileSystemLoopException
            ? place + " is a link to a folder that holds it: remove it"
            : cause instanceof AccessDeniedException ? place + " may not be read" : place;
    return new HaqException(Reason.INVALID_DATASET, "cannot read " + folder + ": " + why, cause);
  }

  /** Only writing needs room, and all that is written is the archive. */
  private static HaqException noRoom(Path folder, Path zip, IOException cause) {
    return new HaqException(
        Reason.DISK_FULL,
        ("this machine's disk is full at %s, where %s is packed in a zip before it is uploaded:"
                + " make room there, name another folder with HAQ_JAVA_OPTS=-Djava.io.tmpdir=DIR, or"
                + " give a zip of the folder")
            .formatted(zip.toAbsolutePath().getParent(), folder),
        cause);
  }

  /** A companion file of {@code data} (a folder or a file), nearest first. */
  static Optional<Path> companion(Path data, String name) {
    Path near = Files.isDirectory(data) ? data : data.toAbsolutePath().getParent();
    Stream<Path> candidates =
        Files.isDirectory(data)
            ? Stream.of(near, near.toAbsolutePath().normalize().getParent())
            : Stream.of(near);
    return candidates
        .filter(Objects::nonNull)
        .map(folder -> folder.resolve(name))
        .filter(Files::isRegularFile)
        .findFirst();
  }

  /**
   * Archive name to file or class folder, sorted; links are followed, hidden files and loose files
   * at the top are left out. Class folders have entries of their own: an empty one still has a
   * label.
   *
   * @throws HaqException INVALID_DATASET where a name cannot be read, for others may read the same
   */
  private static Map<String, Path> entries(Path folder) throws IOException {
    Map<String, Path> entries = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
      for (Path file : (Iterable<Path>) files.skip(1)::iterator) {
        Path relative = folder.relativize(file);
        String name = relative.toString().replace(file.getFileSystem().getSeparator(), "/");
        boolean top = relative.getNameCount() == 1;
        if (hidden(relative)) {
          continue;
        }
        if (name.indexOf(UNREADABLE) >= 0) {
          throw unreadableName(folder, name);
        }
        if (top && Files.isDirectory(file)) {
          entries.put(name + "/", file);
        } else if (!top && Files.isRegularFile(file)) {
          entries.put(name, file);
        }
      }
    }
    return entries;
  }

  private static HaqException unreadableName(Path folder, String name) {
    return new HaqException(
        Reason.INVALID_DATASET,
        "cannot read %s: the name %s is not in %s, this system's encoding of names: set LC_ALL=C.UTF-8 if it is in UTF-8, else rename it, or give a zip of the folder"
            .formatted(folder, name, System.getProperty("sun.jnu.encoding")));
  }

  private static boolean hidden(Path relative) {
    for (Path part : relative) {
      if (part.toString().startsWith(".")) {
        return true;
      }
    }
    return false;
  }

  private static void write(ZipOutputStream out, String name, byte[] bytes) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(bytes);
    out.putNextEntry(entry(name, bytes.length, crc));
    out.write(bytes);
    out.closeEntry();
  }

  /** Reads the file twice, for its checksum goes first, and holds none of it. */
  private static void copy(ZipOutputStream out, String name, Path file) throws IOException {
    CRC32 crc = new CRC32();
    long size;
    try (InputStream in = new CheckedInputStream(Files.newInputStream(file), crc)) {
      size = in.transferTo(OutputStream.nullOutputStream());
    }
    out.putNextEntry(entry(name, size, crc));
    try {
      Files.copy(file, out);
      out.closeEntry();
    } catch (ZipException e) {
      throw new IOException(file + " changes while it is read", e);
    }
  }

  private static ZipEntry entry(String name, long size, CRC32 crc) {
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(TIME);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(size);
    entry.setCompressedSize(size);
    entry.setCrc(crc.getValue());
    return entry;
  }
}
