package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** How the images of a dataset are kept. */
public enum DatasetFormat {
  /** Records of a label byte and 3072 bytes. */
  CIFAR10_BINARY("cifar10-binary"),
  /** A zip of one folder a class, of PNG or JPEG files. */
  CLASS_FOLDERS_ZIP("class-folders"),
  /** Drawn by the program. */
  BUILTIN("builtin");

  /** What every zip file begins with: PK, then a local header's or an empty archive's mark. */
  private static final byte[] ZIP_MAGIC = {'P', 'K'};

  private final String label;

  DatasetFormat(String label) {
    this.label = label;
  }

  /** The name shown to users. */
  public String label() {
    return label;
  }

  static DatasetFormat ofLabel(String label) {
    return Arrays.stream(values())
        .filter(format -> format.label.equals(label))
        .findFirst()
        .orElseThrow(
            () -> new HaqException(Reason.INTERNAL, "there is no dataset format '" + label + "'"));
  }

  /**
   * The format that a file's first bytes and size suggest.
   *
   * @throws HaqException INVALID_DATASET when it can be neither
   */
  static DatasetFormat detect(Path file) throws IOException {
    try (InputStream content = Files.newInputStream(file)) {
      if (Arrays.equals(content.readNBytes(ZIP_MAGIC.length), ZIP_MAGIC)) {
        return CLASS_FOLDERS_ZIP;
      }
    }
    long size = Files.size(file);
    if (size == 0 || size % Cifar10Binary.RECORD_BYTES == 0) {
      return CIFAR10_BINARY;
    }
    throw new HaqException(
        Reason.INVALID_DATASET,
        "the file is neither a zip archive nor CIFAR-10 binary: send a zip of one folder a class,"
            + " or records of "
            + Cifar10Binary.RECORD_BYTES
            + " bytes");
  }
}
