package dev.haq.quantizer.eval;

/**
 * A selection of images divided into blocks: the pieces that shards are made of, and that answers
 * are remembered by. A block is a whole number of batches, so that an image runs in the same batch
 * whichever shard asks for it.
 *
 * @param images at least 1
 * @param size images of a block; the last may have fewer
 */
record Blocks(int images, int size) {
  /**
   * Enough to divide evenly over a handful of replicas, few enough to remember for many answers.
   */
  private static final int MOST = 32;

  static Blocks of(int images, int batchSize) {
    int batches = (images + batchSize - 1) / batchSize;
    return new Blocks(images, (batches + MOST - 1) / MOST * batchSize);
  }

  int count() {
    return (images + size - 1) / size;
  }

  /** The first image of a block; of the one after the last, how many images there are. */
  int start(int block) {
    return Math.min(images, block * size);
  }

  int end(int block) {
    return start(block + 1);
  }
}
