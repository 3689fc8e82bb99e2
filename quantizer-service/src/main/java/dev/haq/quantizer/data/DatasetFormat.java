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
  /** Records of two label bytes, the second of which counts, and 3072 bytes. */
  CIFAR100_BINARY("cifar100-binary"),
  /** A zip of one folder a class, of PNG or JPEG files. */
  CLASS_FOLDERS_ZIP("class-folders"),
  /** A tar.gz of the same; kept as a zip. */
  CLASS_FOLDERS_TAR_GZ("class-folders-tar-gz"),
  /** A zip of two IDX files, images and labels. */
  IDX_ZIP("idx"),
  /** NumPy arrays of images and labels. */
  NPZ("npz"),
  /** Drawn by the program. */
  BUILTIN("builtin");

  /** What every zip file begins with: PK, then a local header's or an empty archive's mark. */
  private static final byte[] ZIP_MAGIC = {'P', 'K'};

  private static final byte[] GZIP_MAGIC = {0x1F, (byte) 0x8B};

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
   * The format that a file's first bytes, its size, and the names and heads of what its archive
   * holds suggest. A size that fits both kinds of CIFAR is taken as CIFAR-10's.
   *
   * @throws HaqException INVALID_DATASET when it can be none
   */
  static DatasetFormat detect(Path file) throws IOException {
    byte[] magic;
    try (InputStream content = Files.newInputStream(file)) {
      magic = content.readNBytes(ZIP_MAGIC.length);
    }
    if (Arrays.equals(magic, ZIP_MAGIC)) {
      return ArrayImport.formatOf(file).orElse(CLASS_FOLDERS_ZIP);
    }
    if (Arrays.equals(magic, GZIP_MAGIC)) {
      return CLASS_FOLDERS_TAR_GZ;
    }
    long size = Files.size(file);
    if (size % CifarBinary.Layout.CIFAR10.recordBytes() == 0) {
      return CIFAR10_BINARY;
    }
    if (size % CifarBinary.Layout.CIFAR100.recordBytes() == 0) {
      return CIFAR100_BINARY;
    }
    throw new HaqException(
        Reason.INVALID_DATASET,
        "the file is neither a zip or tar.gz archive nor CIFAR binary: send an archive of one folder"
            + " a class, a zip of IDX files, an .npz, or records of "
            + CifarBinary.Layout.CIFAR10.recordBytes()
            + " or "
            + CifarBinary.Layout.CIFAR100.recordBytes()
            + " bytes");
  }
}
