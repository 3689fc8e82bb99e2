package dev.haq.cli;

import dev.haq.model.HaqException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file that a command writes to {@code --out}. */
final class OutFile {
  private OutFile() {}

  /** Refuses what cannot be written, before any work is done for it. */
  static void check(Path out) {
    if (Files.isDirectory(out)) {
      throw HaqException.invalid("--out %s is a folder: give the name of a file", out);
    }
    Path folder = out.toAbsolutePath().normalize().getParent();
    while (folder != null && !Files.exists(folder)) {
      folder = folder.getParent();
    }
    if (folder == null || !Files.isDirectory(folder)) {
      throw HaqException.invalid("--out %s: %s is not a folder: name a file in one", out, folder);
    }
    if (!Files.isWritable(folder)) {
      throw HaqException.invalid(
          "--out %s: the folder %s may not be written to: name a file in another", out, folder);
    }
  }
}
