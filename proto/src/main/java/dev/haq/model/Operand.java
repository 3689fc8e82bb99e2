package dev.haq.model;

/** Which of a layer's two inputs a decision is about. */
public enum Operand {
  WEIGHTS,
  ACTIVATIONS
}
