/**
 * The built-in data set {@code builtin:shapes} and the built-in model trained on it. The images are
 * drawn by a seeded program, so the same index gives the same bytes on every machine and nothing is
 * stored; the model is an ONNX resource.
 */
package dev.haq.quantizer.builtin;
