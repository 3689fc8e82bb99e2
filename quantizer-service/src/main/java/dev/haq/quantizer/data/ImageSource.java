package dev.haq.quantizer.data;

import dev.haq.model.DataSelection;
import java.util.List;

/** Labelled images in some format, decoded on demand. Decoding is thread-safe. */
interface ImageSource extends AutoCloseable {
  /** More are refused: their labels and names are held in memory. */
  int MOST_IMAGES = 10_000_000;

  /** How many images there are, at least 1. */
  int size();

  /** The highest label plus one; classes that are listed and have no image do not count. */
  int classes();

  /** The class of an image, 0 or more. */
  int label(int image);

  /** What to call an image in messages, such as {@code n01440764/7.JPEG}. */
  String name(int image);

  /**
   * @throws dev.haq.model.HaqException INVALID_DATASET, naming the image, when it cannot be read
   */
  RgbImage decode(int image);

  /** For people: what was decided that the data do not say. */
  default List<String> notes() {
    return List.of();
  }

  /** The images a selection means, in order; see {@link DataSelection} for the rules. */
  default int[] select(DataSelection selection) {
    return Splits.of(size(), selection);
  }

  @Override
  default void close() {}
}
