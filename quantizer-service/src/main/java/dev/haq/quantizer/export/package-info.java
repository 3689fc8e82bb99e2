/**
 * Quantized models and policies as files for other tools. What is exported is what is evaluated:
 * the layers come from the evaluator, and every file that can be run is run again before it is
 * given away.
 */
package dev.haq.quantizer.export;
