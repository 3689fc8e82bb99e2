package dev.haq.quantizer.eval;

import dev.haq.model.Accuracy;
import dev.haq.model.Operand;
import java.util.OptionalDouble;

/**
 * The network with one operand of one layer quantized, everything else in float.
 *
 * @param point what is quantized
 * @param accuracy with the divergence from the float model
 * @param signalToNoiseDb power of the float class scores over that of their error, in decibels;
 *     empty where there is no error
 */
public record LayerSensitivity(Point point, Accuracy accuracy, OptionalDouble signalToNoiseDb) {
  /**
   * @param layer the layer's name
   * @param bits 2..8
   */
  public record Point(String layer, Operand operand, int bits) {}
}
