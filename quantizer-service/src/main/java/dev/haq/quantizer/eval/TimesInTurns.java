package dev.haq.quantizer.eval;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * How long the quantized and the float network take for the same images, run in turns over slices
 * of them so that both see the same load.
 */
record TimesInTurns(double quantizedSeconds, double floatSeconds) {
  private static final int SLICES = 10;

  /**
   * Runs both, and puts what the quantized network scores among the answers.
   *
   * @param reading the images as the quantized network takes them
   * @param blocks the same as the float network takes them
   */
  static TimesInTurns of(
      OrtSession quantized,
      BlockRunner reading,
      BlockRunner blocks,
      List<Integer> wanted,
      Optional<FloatScores> exact,
      BlockAnswers answer,
      BooleanSupplier cancelled)
      throws OrtException {
    double quantizedSeconds = 0;
    double floatSeconds = 0;
    try (OrtSession floatSession = FloatModels.open(blocks.graph())) {
      int slice = (wanted.size() + SLICES - 1) / SLICES;
      for (int from = 0; from < wanted.size(); from += slice) {
        List<Integer> part = wanted.subList(from, Math.min(wanted.size(), from + slice));
        long begun = System.nanoTime();
        blocks.score(
            floatSession,
            part,
            Optional.empty(),
            new BlockAnswers(blocks.blocks(), true),
            cancelled);
        floatSeconds += secondsSince(begun);
        begun = System.nanoTime();
        reading.score(quantized, part, exact, answer, cancelled);
        quantizedSeconds += secondsSince(begun);
      }
    }
    return new TimesInTurns(quantizedSeconds, floatSeconds);
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
