package dev.haq.cli;

import dev.haq.model.FullDisk;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * The file or folder that a command writes to {@code --out}. A file is there completely or as it
 * was before: it is written beside its place and moved there.
 */
final class OutFile {
  private OutFile() {}

  /** Refuses what cannot be written as a file, before any work is done for it. */
  static void check(Path out) {
    if (Files.isDirectory(out)) {
      throw HaqException.invalid("--out %s is a folder: give the name of a file", out);
    }
    if (Files.exists(out) && !Files.isWritable(out)) {
      throw HaqException.invalid(
          "--out %s is there and may not be written to: give another name, or remove it", out);
    }
    if (replaced(out)) {
      checkWritable(out, out.toAbsolutePath().normalize().getParent(), "name a file in");
    }
  }

  /** A pipe or a device is written to where it stands; all else is put in its place. */
  private static boolean replaced(Path out) {
    return !Files.exists(out) || Files.isRegularFile(out);
  }

  /** The same for a folder, which need not be there yet. */
  static void checkFolder(Path out) {
    checkWritable(out, out.toAbsolutePath().normalize(), "name a folder in");
  }

  private static void checkWritable(Path out, Path wanted, String mend) {
    Path folder = wanted;
    while (folder != null && !Files.exists(folder)) {
      folder = folder.getParent();
    }
    if (folder == null || !Files.isDirectory(folder)) {
      throw HaqException.invalid("--out %s: %s is not a folder: %s one", out, folder, mend);
    }
    if (!Files.isWritable(folder)) {
      throw HaqException.invalid(
          "--out %s: the folder %s may not be written to: %s another", out, folder, mend);
    }
  }

  static void write(Path out, String text) {
    write(out, text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Writes a file, and the folders that it is to be in.
   *
   * @throws HaqException INVALID_ARGUMENT when it cannot be written, DISK_FULL when there is no
   *     room
   */
  static void write(Path out, byte[] bytes) {
    try {
      save(new ByteArrayInputStream(bytes), out);
    } catch (IOException e) {
      throw cannotBeWritten(out, e);
    }
  }

  /**
   * The same for what comes from elsewhere.
   *
   * @throws IOException when it does not come
   */
  static void save(InputStream body, Path out) throws IOException {
    check(out);
    if (!replaced(out)) {
      copy(body, out, out);
      return;
    }
    Path target;
    try {
      target = followed(out);
      Files.createDirectories(target.getParent());
    } catch (IOException e) {
      throw cannotBeWritten(out, e);
    }
    Path part = target.resolveSibling(".haq-" + UUID.randomUUID() + ".part");
    part.toFile().deleteOnExit(); // Ctrl-C comes to no finally
    try {
      copy(body, part, out);
      if (Files.exists(target)) {
        Files.setPosixFilePermissions(part, Files.getPosixFilePermissions(target));
      }
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      throw cannotBeWritten(out, e);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Where a file goes: a link stays one, and what it points to is written. */
  private static Path followed(Path out) throws IOException {
    if (Files.exists(out)) {
      return out.toRealPath();
    }
    Path absolute = out.toAbsolutePath();
    return Files.isSymbolicLink(out)
        ? absolute.resolveSibling(Files.readSymbolicLink(out)).normalize()
        : absolute;
  }

  private static void copy(InputStream body, Path file, Path out) throws IOException {
    try (OutputStream written =
        Files.newOutputStream(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      body.transferTo(written);
    } catch (IOException e) {
      if (FullDisk.caused(e) || e instanceof FileSystemException) {
        throw cannotBeWritten(out, e);
      }
      throw e;
    }
  }

  private static HaqException cannotBeWritten(Path out, IOException e) {
    if (FullDisk.caused(e)) {
      return new HaqException(
          Reason.DISK_FULL,
          "--out %s: this machine's disk is full there: make room, or name a file on another disk"
              .formatted(out),
          e);
    }
    return new HaqException(
        Reason.INVALID_ARGUMENT,
        "--out %s cannot be written: %s".formatted(out, FileFault.why(e)),
        e);
  }
}
