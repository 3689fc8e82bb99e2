/**
 * Labelled images: formats, decoding, preprocessing, splits, the content-addressed store of
 * uploaded datasets, and the cache of prepared images. What leaves this package is {@link
 * dev.haq.quantizer.data.LabelledImages}: numbers ready for a network.
 */
package dev.haq.quantizer.data;
