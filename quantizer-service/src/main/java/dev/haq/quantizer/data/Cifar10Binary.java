package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The CIFAR-10 binary layout (Krizhevsky, <em>The CIFAR-10 dataset</em>): records of one label byte
 * and 3072 bytes, the red, green and blue planes of a 32x32 image.
 */
final class Cifar10Binary implements ImageSource {
  private static final int SIDE = 32;
  static final int RECORD_BYTES = 1 + RgbImage.CHANNELS * SIDE * SIDE;

  private final byte[] records;

  private Cifar10Binary(byte[] records) {
    this.records = records;
  }

  /**
   * @throws HaqException INVALID_DATASET when the file is empty or no whole number of records
   */
  static Cifar10Binary open(Path file) throws IOException {
    long size = Files.size(file);
    if (size == 0) {
      throw new HaqException(
          Reason.INVALID_DATASET, "the CIFAR-10 file is empty: give at least one image");
    }
    if (size % RECORD_BYTES != 0) {
      throw new HaqException(
          Reason.INVALID_DATASET,
          "the CIFAR-10 file has "
              + size
              + " bytes, not a whole number of "
              + RECORD_BYTES
              + "-byte records: it is cut off, or of another format");
    }
    if (size > Integer.MAX_VALUE - 8) {
      throw new HaqException(
          Reason.TOO_LARGE, "the CIFAR-10 file has " + size + " bytes: give at most 2 GiB");
    }
    return new Cifar10Binary(Files.readAllBytes(file));
  }

  @Override
  public int size() {
    return records.length / RECORD_BYTES;
  }

  @Override
  public int classes() {
    int highest = 0;
    for (int i = 0; i < size(); i++) {
      highest = Math.max(highest, label(i));
    }
    return highest + 1;
  }

  @Override
  public int label(int image) {
    return records[image * RECORD_BYTES] & 0xFF;
  }

  @Override
  public String name(int image) {
    return "record " + image;
  }

  @Override
  public RgbImage decode(int image) {
    return Planes.interleave(records, image * RECORD_BYTES + 1, SIDE, SIDE);
  }
}
