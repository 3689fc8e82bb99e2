package dev.haq.cli;

import dev.haq.model.FullDisk;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Saves what comes over the network. */
final class Download {
  private Download() {}

  /** Writes beside {@code target} and moves it there once all of it has come. */
  static void save(InputStream body, Path target) throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    Path part;
    try {
      Files.createDirectories(folder);
      part = Files.createTempFile(folder, ".haq-", ".part");
    } catch (AccessDeniedException | NoSuchFileException | NotDirectoryException e) {
      throw HaqException.invalid("--out %s: the folder cannot be written to", target);
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
      throw e;
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
