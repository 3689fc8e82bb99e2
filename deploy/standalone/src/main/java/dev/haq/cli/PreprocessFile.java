package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.wire.PreprocessingFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;

/**
 * Where the command finds how images are prepared: a preset's name, or a {@link PreprocessingFile}.
 */
final class PreprocessFile {
  /** The presets, for the option's help. */
  static final class Presets implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Preprocessing.presets().iterator();
    }
  }

  private PreprocessFile() {}

  /** What {@code --preprocess} says: a preset's name, or a file. */
  static Preprocessing option(String presetOrFile) {
    if (Preprocessing.presets().contains(presetOrFile)) {
      return Preprocessing.preset(presetOrFile);
    }
    Path file = Path.of(presetOrFile);
    if (!Files.isRegularFile(file)) {
      throw HaqException.invalid(
          "--preprocess %s: neither a file nor one of %s", presetOrFile, Preprocessing.presets());
    }
    return read(file);
  }

  /** What stands beside the data, if anything does. */
  static Optional<Preprocessing> beside(Path data) {
    return PreprocessingFile.NAMES.stream()
        .flatMap(name -> FolderZip.companion(data, name).stream())
        .findFirst()
        .map(PreprocessFile::read);
  }

  private static Preprocessing read(Path file) {
    try {
      return PreprocessingFile.parse(Files.readAllBytes(file), file.toString()).ofPixelsTo255();
    } catch (IOException e) {
      throw HaqException.invalid("%s cannot be read: %s", file, FileFault.why(e));
    }
  }
}
