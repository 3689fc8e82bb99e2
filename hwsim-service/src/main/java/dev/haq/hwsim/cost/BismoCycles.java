package dev.haq.hwsim.cost;

/**
 * What a product takes on a bit-serial array.
 *
 * @param rowsOuter cycles in the loop order p, n, k, w, a: row tiles outermost
 * @param columnsOuter cycles in the loop order n, p, k, a, w: column tiles outermost
 * @param steps binary tile products, one a cycle when nothing is waited for
 * @param activationPort cycles in which the activation port is busy
 * @param weightPort cycles in which the weight port is busy
 * @param bothSplit whether neither operand fits its buffer
 */
record BismoCycles(
    long rowsOuter,
    long columnsOuter,
    long steps,
    long activationPort,
    long weightPort,
    boolean bothSplit) {
  /** The faster loop order. */
  long cycles() {
    return Math.min(rowsOuter, columnsOuter);
  }
}
