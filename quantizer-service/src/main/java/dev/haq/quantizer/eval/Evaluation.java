package dev.haq.quantizer.eval;

import dev.haq.model.Accuracy;
import java.util.OptionalDouble;

/**
 * What an evaluation found and took.
 *
 * @param accuracy on the selected images
 * @param seconds wall time of running the images, opening the quantized session included; 0 when
 *     answered from a cache
 * @param preparationSeconds wall time of what is done once for a model and data, 0 when it was done
 *     before
 * @param floatSeconds wall time of the float model on the same images and threads, where asked for
 * @param cached whether the answer was known already
 */
public record Evaluation(
    Accuracy accuracy,
    double seconds,
    double preparationSeconds,
    OptionalDouble floatSeconds,
    boolean cached) {}
