/**
 * The numerics of quantization, on plain arrays: linear quantizers, clip thresholds, quantized
 * weights and the integer form of a layer (paper, section 3.4). Pure: no files, no network, no
 * native tensors.
 */
package dev.haq.quantizer.quant;
