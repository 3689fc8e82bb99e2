/**
 * Graphs that are written from a network: in floating point, fake-quantized, in whole numbers, cut
 * in parts, with other weights, and as files for others.
 */
package dev.haq.quantizer.graphs;
