/**
 * Fine-tuning as a service: a request becomes a stored model, once, whatever interrupts it. The
 * training itself is behind a port of the evaluation.
 */
package dev.haq.quantizer.tune;
