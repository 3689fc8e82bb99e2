/**
 * The quantizer-evaluator as a running service: its settings, and what it is put together from. It
 * says what bit-widths do to accuracy.
 */
package dev.haq.quantizer;
