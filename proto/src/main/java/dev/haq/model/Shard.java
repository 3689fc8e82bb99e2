package dev.haq.model;

/**
 * Part {@code index} of {@code count} of a selection of images. The accuracies of all parts add up
 * to that of the whole, to the last bit.
 *
 * @param index 0..count-1
 * @param count at least 1; with more parts than there is work to divide, some hold no image
 */
public record Shard(int index, int count) {
  /** All images. */
  public static final Shard WHOLE = new Shard(0, 1);

  public Shard {
    if (count < 1 || index < 0 || index >= count) {
      throw HaqException.invalid(
          "shard %d of %d: the count must be at least 1, the index 0 to count - 1", index, count);
    }
  }

  /** The first of {@code pieces} pieces of work that belong to this part. */
  public int first(int pieces) {
    return (int) ((long) pieces * index / count);
  }

  /** The piece after the last that belongs to this part. */
  public int end(int pieces) {
    return (int) ((long) pieces * (index + 1) / count);
  }
}
