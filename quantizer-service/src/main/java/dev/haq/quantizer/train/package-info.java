/**
 * Training with DJL on the PyTorch engine: networks run operator by operator so that gradients pass
 * through them, and fine-tuning of quantized ones. Native arrays stay inside this package; every
 * step closes the arrays it made.
 */
package dev.haq.quantizer.train;
