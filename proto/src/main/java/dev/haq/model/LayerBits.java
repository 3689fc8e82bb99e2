package dev.haq.model;

/** The bit-widths of one layer: of its weights, and of the activations it reads. */
public record LayerBits(BitWidth weights, BitWidth activations) {
  public static LayerBits of(int weightBits, int activationBits) {
    return new LayerBits(BitWidth.of(weightBits), BitWidth.of(activationBits));
  }

  /** Both operands left in floating point. */
  public static LayerBits unquantized() {
    return new LayerBits(BitWidth.FLOAT, BitWidth.FLOAT);
  }

  public BitWidth of(Operand operand) {
    return operand == Operand.WEIGHTS ? weights : activations;
  }

  /** These bits with one operand's width replaced. */
  public LayerBits with(Operand operand, BitWidth width) {
    return operand == Operand.WEIGHTS
        ? new LayerBits(width, activations)
        : new LayerBits(weights, width);
  }

  @Override
  public String toString() {
    return "W" + weights + "A" + activations;
  }
}
