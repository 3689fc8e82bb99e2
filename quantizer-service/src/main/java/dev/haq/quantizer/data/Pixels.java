package dev.haq.quantizer.data;

/** The prepared pixels of a dataset's images. Thread-safe. */
interface Pixels {
  /**
   * Copies an image's pixels to {@code target} from {@code at} on.
   *
   * @param image its place in the dataset
   */
  void read(int image, byte[] target, int at);
}
