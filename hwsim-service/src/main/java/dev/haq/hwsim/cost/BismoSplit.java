package dev.haq.hwsim.cost;

/**
 * How one operand of a product is cut so that each part fits its buffer: its tiles in {@code n =
 * ceil(vectors * words * bits / buffer)} groups of {@code ceil(tiles / n)}.
 *
 * @param groups how many groups there are
 * @param groupVectors vectors in every group but the last
 * @param lastVectors vectors in the last
 */
record BismoSplit(long groups, long groupVectors, long lastVectors) {
  static BismoSplit of(long vectors, long words, int bits, int tile, long bufferWords) {
    long tiles = ceilDiv(vectors, tile);
    long wanted = ceilDiv(vectors * words * bits, bufferWords);
    long tilesEach = ceilDiv(tiles, wanted);
    long groups = ceilDiv(tiles, tilesEach);
    long each = Math.min(tilesEach * tile, vectors);
    return new BismoSplit(groups, each, vectors - (groups - 1) * each);
  }

  boolean isSplit() {
    return groups > 1;
  }

  static long ceilDiv(long dividend, long divisor) {
    return (dividend + divisor - 1) / divisor;
  }
}
