/**
 * Training with DJL on the PyTorch engine: the program that makes the built-in model and writes it
 * as ONNX. Native arrays stay inside this package; every step closes the arrays it made.
 */
package dev.haq.quantizer.train;
