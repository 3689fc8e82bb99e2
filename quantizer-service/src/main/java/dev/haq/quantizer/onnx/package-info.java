/**
 * Reading ONNX models and making graphs: what a file must be to be taken, where its quantizable
 * layers are, and the normal form (constants resolved, batch-norm folded) that quantized graphs are
 * written from. ONNX messages do not leave this package and {@code dev.haq.quantizer.eval}.
 */
package dev.haq.quantizer.onnx;
