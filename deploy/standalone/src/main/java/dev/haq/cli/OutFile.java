package dev.haq.cli;

import dev.haq.model.HaqException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The file or folder that a command writes to {@code --out}. */
final class OutFile {
  private OutFile() {}

  /** Refuses what cannot be written as a file, before any work is done for it. */
  static void check(Path out) {
    if (Files.isDirectory(out)) {
      throw HaqException.invalid("--out %s is a folder: give the name of a file", out);
    }
    checkWritable(out, out.toAbsolutePath().normalize().getParent(), "name a file in");
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
}
