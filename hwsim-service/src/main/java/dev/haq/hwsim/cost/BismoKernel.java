package dev.haq.hwsim.cost;

import static dev.haq.hwsim.cost.BismoSplit.ceilDiv;

/**
 * Cycles of a bit-serial matrix product (BISMO, Umuroglu et al., FPL 2018), in closed form.
 *
 * <p>The steps of a group come in runs within which the same rule applies again and again: the
 * clock advances by a fixed number of steps unless a port delivers later, and that port's time
 * advances by a fixed amount. Such a run, {@code t = max(t + step, ready); ready += delta} repeated
 * n times, is a maximum of linear functions of n, so it ends at the first or the last repetition
 * ({@link #advance}). Four runs make a group; the tests walk every step, which must agree.
 *
 * <p>The second loop order is the first with the operands exchanged.
 */
final class BismoKernel {
  private final int tile;
  private final long activationBufferWords;
  private final long weightBufferWords;
  private final int activationWordCycles;
  private final int weightWordCycles;

  BismoKernel(
      int tile,
      long activationBufferWords,
      long weightBufferWords,
      int activationWordCycles,
      int weightWordCycles) {
    this.tile = tile;
    this.activationBufferWords = activationBufferWords;
    this.weightBufferWords = weightBufferWords;
    this.activationWordCycles = activationWordCycles;
    this.weightWordCycles = weightWordCycles;
  }

  BismoCycles run(BismoProduct product) {
    long words = product.words();
    int w = product.weightBits();
    int a = product.activationBits();
    BismoSplit rows = BismoSplit.of(product.rows(), words, a, tile, activationBufferWords);
    BismoSplit columns = BismoSplit.of(product.columns(), words, w, tile, weightBufferWords);
    long rowsOuter = 0;
    long columnsOuter = 0;
    // All groups but the last of an operand are alike, so at most four kinds of group remain.
    for (int i = 0; i < 2; i++) {
      long rowGroups = i == 0 ? rows.groups() - 1 : 1;
      Operand activations =
          new Operand(i == 0 ? rows.groupVectors() : rows.lastVectors(), a, activationWordCycles);
      for (int j = 0; j < 2; j++) {
        long count = rowGroups * (j == 0 ? columns.groups() - 1 : 1);
        if (count == 0) {
          continue;
        }
        Operand weights =
            new Operand(
                j == 0 ? columns.groupVectors() : columns.lastVectors(), w, weightWordCycles);
        rowsOuter += count * group(activations, weights, words);
        columnsOuter += count * group(weights, activations, words);
      }
    }
    return new BismoCycles(
        rowsOuter,
        columnsOuter,
        ceilDiv(product.rows(), tile) * ceilDiv(product.columns(), tile) * words * w * a,
        columns.groups() * product.rows() * words * a * activationWordCycles,
        rows.groups() * product.columns() * words * w * weightWordCycles,
        rows.isSplit() && columns.isSplit());
  }

  /** One operand's share of a group: its vectors, its bit planes, and its port's cycles a word. */
  private record Operand(long vectors, int bits, int wordCycles) {}

  /**
   * Cycles of one group in the order: outer tile, inner tile, word, inner bit plane, outer bit
   * plane. A tile's planes of a word are loaded at the first use: the outer operand's beside the
   * first inner tile, the inner operand's beside the first outer tile.
   */
  private long group(Operand outer, Operand inner, long words) {
    long outerTiles = ceilDiv(outer.vectors(), tile);
    long innerTiles = ceilDiv(inner.vectors(), tile);
    int planes = outer.bits(); // a run of steps that share the inner plane
    long word = (long) planes * inner.bits(); // steps of one word of one tile pair
    long tail = word - planes; // of these, the steps behind the first inner plane
    long outerLoad = Math.min(tile, outer.vectors()) * outer.wordCycles(); // one plane, one word
    long innerLoad = Math.min(tile, inner.vectors()) * inner.wordCycles();

    // First outer tile, first inner tile: both ports deliver. Clock after each word.
    long outerPort = planes * outerLoad;
    long now =
        Math.max(
            advance(0, words, word, outerPort + tail, outerPort),
            advanceInner(0, words, word, planes, inner.bits(), 0, innerLoad));
    outerPort *= words;
    long innerPort = words * inner.bits() * innerLoad;

    // First outer tile, the other inner tiles: the inner port delivers; the last may be narrower.
    long narrow = inner.vectors() % tile;
    long wideTiles = innerTiles - 1 - (narrow > 0 && innerTiles > 1 ? 1 : 0);
    long wideWords = wideTiles * words;
    now = advanceInner(now, wideWords, word, planes, inner.bits(), innerPort, innerLoad);
    innerPort += wideWords * inner.bits() * innerLoad;
    if (innerTiles - 1 > wideTiles) {
      long load = narrow * inner.wordCycles();
      now = advanceInner(now, words, word, planes, inner.bits(), innerPort, load);
    }

    // The other outer tiles: the outer port delivers beside the first inner tile; the rest is only
    // computed. The last tile may be narrower.
    narrow = outer.vectors() % tile;
    wideTiles = outerTiles - 1 - (narrow > 0 && outerTiles > 1 ? 1 : 0);
    now = advanceOuter(now, wideTiles, words, word, planes, innerTiles, outerPort, outerLoad);
    outerPort += wideTiles * words * planes * outerLoad;
    if (outerTiles - 1 > wideTiles) {
      long load = narrow * outer.wordCycles();
      now = advanceOuter(now, 1, words, word, planes, innerTiles, outerPort, load);
    }
    return now;
  }

  /**
   * The clock after {@code words} words during which the inner operand's planes arrive, one every
   * {@code load} cycles from {@code port} on. Plane i of a word lets the {@code bits - i + 1}
   * planes from it on begin; that is linear in i, so the first and the last plane decide.
   */
  private static long advanceInner(
      long now, long words, long word, long planes, int bits, long port, long load) {
    long first = port + load + word - 1;
    long last = port + bits * load + planes - 1;
    return advance(now, words, word, Math.max(first, last), bits * load);
  }

  /**
   * The clock after {@code tiles} outer tiles, each of which loads {@code words} words beside its
   * first inner tile.
   */
  private static long advanceOuter(
      long now,
      long tiles,
      long words,
      long word,
      long planes,
      long innerTiles,
      long port,
      long load) {
    long computedOnly = (innerTiles - 1) * words * word;
    // After the first inner tile: behind the first word's planes, or behind the last word's.
    long ready =
        port + Math.max(planes * load + (words - 1) * word, words * planes * load) + word - planes;
    return advance(
        now, tiles, innerTiles * words * word, ready + computedOnly, words * planes * load);
  }

  /** {@code times} repetitions of {@code now = max(now + step, ready); ready += delta}. */
  private static long advance(long now, long times, long step, long ready, long delta) {
    if (times == 0) {
      return now;
    }
    return Math.max(now + times * step, ready + (times - 1) * Math.max(step, delta));
  }
}
