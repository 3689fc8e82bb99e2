package dev.haq.model;

/**
 * How many bits one value of a tensor takes: 1 to 16, or {@link #FLOAT} for a tensor left
 * unquantized.
 *
 * @param bits 1..16, or 32 for float
 */
public record BitWidth(int bits) implements Comparable<BitWidth> {
  /** The widest quantized value. */
  public static final int WIDEST = 16;

  /** Not quantized: 32-bit floating point. */
  public static final BitWidth FLOAT = new BitWidth(32);

  public BitWidth {
    if ((bits < 1 || bits > WIDEST) && bits != 32) {
      throw new HaqException(
          Reason.INVALID_BITS,
          "bit-width " + bits + " is not allowed: use 1 to " + WIDEST + ", or none for float");
    }
  }

  public static BitWidth of(int bits) {
    return new BitWidth(bits);
  }

  public boolean isFloat() {
    return bits == 32;
  }

  @Override
  public int compareTo(BitWidth other) {
    return Integer.compare(bits, other.bits);
  }

  @Override
  public String toString() {
    return isFloat() ? "float" : Integer.toString(bits);
  }
}
