package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The CIFAR binary layouts (Krizhevsky, <em>The CIFAR-10 dataset</em>): records of a label and 3072
 * bytes, the red, green and blue planes of a 32x32 image.
 */
final class CifarBinary implements ImageSource {
  private static final int SIDE = 32;
  private static final int PIXEL_BYTES = RgbImage.CHANNELS * SIDE * SIDE;

  /** What stands before the pixels of a record. */
  enum Layout {
    /** One label byte. */
    CIFAR10("CIFAR-10", 1),
    /** The label of one of 20 coarse classes, then of one of 100 fine ones, which counts. */
    CIFAR100("CIFAR-100", 2);

    private final String label;
    private final int labelBytes;

    Layout(String label, int labelBytes) {
      this.label = label;
      this.labelBytes = labelBytes;
    }

    int recordBytes() {
      return labelBytes + PIXEL_BYTES;
    }
  }

  private final Layout layout;
  private final MappedRecords records;

  private CifarBinary(Layout layout, MappedRecords records) {
    this.layout = layout;
    this.records = records;
  }

  /**
   * @throws HaqException INVALID_DATASET when the file is empty or no whole number of records
   */
  static CifarBinary open(Path file, Layout layout) throws IOException {
    long size = Files.size(file);
    int recordBytes = layout.recordBytes();
    if (size == 0) {
      throw new HaqException(
          Reason.INVALID_DATASET,
          "the " + layout.label + " file is empty: give at least one image");
    }
    if (size % recordBytes != 0) {
      throw new HaqException(
          Reason.INVALID_DATASET,
          "the "
              + layout.label
              + " file has "
              + size
              + " bytes, not a whole number of "
              + recordBytes
              + "-byte records: it is cut off, or of another format");
    }
    if (size / recordBytes > MOST_IMAGES) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "the " + layout.label + " file has more than " + MOST_IMAGES + " images: give fewer");
    }
    int images = (int) (size / recordBytes);
    return new CifarBinary(layout, MappedRecords.open(file, 0, recordBytes, images));
  }

  @Override
  public int size() {
    return records.count();
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
    return records.get(image, layout.labelBytes - 1) & 0xFF;
  }

  @Override
  public String name(int image) {
    return "record " + image;
  }

  @Override
  public RgbImage decode(int image) {
    byte[] planes = new byte[PIXEL_BYTES];
    records.read(image, layout.labelBytes, planes, 0, planes.length);
    return Planes.interleave(planes, 0, SIDE, SIDE);
  }
}
