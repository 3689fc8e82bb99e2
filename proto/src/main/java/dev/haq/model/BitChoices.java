package dev.haq.model;

import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The bit-widths one operand may take on a target, ascending: a range such as 2..8, or a subset
 * such as 2, 4, 8.
 *
 * @param bits distinct, ascending, at least one, each 1..16
 */
public record BitChoices(List<Integer> bits) {
  /** What the paper searches over (section 3.2). */
  public static final BitChoices PAPER = range(2, 8);

  /** What the published cost tables cover. */
  public static final BitChoices TABLE = range(1, 8);

  public BitChoices {
    bits = List.copyOf(bits);
    if (bits.isEmpty()) {
      throw new HaqException(Reason.INVALID_BITS, "no bit-width is allowed: give at least one");
    }
    for (int i = 0; i < bits.size(); i++) {
      if (BitWidth.of(bits.get(i)).isFloat()) {
        throw new HaqException(
            Reason.INVALID_BITS,
            "%d stands for float, which is not a bit-width to choose from: use 1 to %d"
                .formatted(bits.get(i), BitWidth.WIDEST));
      }
      if (i > 0 && bits.get(i) <= bits.get(i - 1)) {
        throw new HaqException(
            Reason.INVALID_BITS, "bit-widths " + bits + " must be distinct and ascending");
      }
    }
  }

  /** Every width from {@code min} to {@code max}, both included. */
  public static BitChoices range(int min, int max) {
    return new BitChoices(IntStream.rangeClosed(min, max).boxed().toList());
  }

  public int min() {
    return bits.get(0);
  }

  public int max() {
    return bits.get(bits.size() - 1);
  }

  public int size() {
    return bits.size();
  }

  public boolean contains(BitWidth width) {
    return bits.contains(width.bits());
  }

  /** Position of {@code width}, 0-based; -1 where it is not allowed. */
  public int indexOf(BitWidth width) {
    return bits.indexOf(width.bits());
  }

  /** The next narrower allowed width; empty at the narrowest. */
  public OptionalInt below(BitWidth width) {
    return bits.stream().mapToInt(Integer::intValue).filter(b -> b < width.bits()).max();
  }

  /** {@code width} where it is allowed, or else the next narrower one, or else the narrowest. */
  public BitWidth nearest(BitWidth width) {
    return contains(width) ? width : BitWidth.of(below(width).orElse(min()));
  }

  /** The widths both sides allow. */
  public BitChoices intersect(BitChoices other) {
    List<Integer> both = bits.stream().filter(other.bits::contains).toList();
    if (both.isEmpty()) {
      throw new HaqException(
          Reason.INVALID_BITS, "no bit-width of " + bits + " is among the allowed " + other.bits);
    }
    return new BitChoices(both);
  }

  @Override
  public String toString() {
    return bits.toString();
  }
}
