package dev.haq.quantizer.onnx;

import java.time.Instant;

/**
 * A model of the store, with what its file does not say.
 *
 * @param name for people
 * @param created when it was imported; the epoch for the built-in
 */
public record StoredModel(String name, Instant created, ImportedModel model) {}
