package dev.haq.quantizer.eval;

/**
 * The float model's class scores on a selection of images, block by block as they become known.
 * Safe for use by many threads.
 */
final class FloatScores {
  private final Blocks blocks;
  private final int classes;
  private final float[][] scores; // [block][image of the block * class]; null where not known
  private double seconds;
  private int images;

  FloatScores(Blocks blocks, int classes) {
    this.blocks = blocks;
    this.classes = classes;
    this.scores = new float[blocks.count()][];
  }

  /** Bytes of all of it, known or not yet. */
  long bytes() {
    return (long) blocks.images() * classes * Float.BYTES;
  }

  synchronized boolean knows(int block) {
    return scores[block] != null;
  }

  /**
   * @param took wall time of running the block
   */
  synchronized void put(int block, float[] values, double took) {
    scores[block] = values;
    seconds += took;
    images += blocks.end(block) - blocks.start(block);
  }

  /** The scores of the block that an image lies in; the image's own are {@code offset} in. */
  synchronized float[] blockOf(int image) {
    return scores[image / blocks.size()];
  }

  /** Where an image's scores begin in its block's. */
  int offset(int image) {
    return image % blocks.size() * classes;
  }

  /** Wall time the float model takes for an image, as measured here; 0 before it was. */
  synchronized double secondsAnImage() {
    return images == 0 ? 0 : seconds / images;
  }
}
