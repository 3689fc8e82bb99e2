package dev.haq.cli;

import dev.haq.model.FullDisk;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Saves what comes over the network. */
final class Download {
  private Download() {}

  /**
   * Writes beside {@code target} and moves it there once all of it has come.
   *
   * @throws IOException when it does not come
   */
  static void save(InputStream body, Path target) throws IOException {
    OutFile.check(target);
    Path folder = target.toAbsolutePath().getParent();
    Path part;
    try {
      Files.createDirectories(folder);
      part = Files.createTempFile(folder, ".haq-", ".part");
    } catch (FileSystemException e) {
      throw cannotWrite(target, e);
    }
    try {
      Files.copy(body, part, StandardCopyOption.REPLACE_EXISTING);
      Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      if (FullDisk.caused(e)) {
        throw new HaqException(
            Reason.DISK_FULL,
            "--out %s: this machine's disk is full there: make room, or name a file on another disk"
                .formatted(target),
            e);
      }
      if (e instanceof FileSystemException file) {
        throw cannotWrite(target, file);
      }
      throw e;
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private static HaqException cannotWrite(Path target, FileSystemException e) {
    String why = e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
    return HaqException.invalid("--out %s cannot be written: %s: %s", target, e.getFile(), why);
  }
}
