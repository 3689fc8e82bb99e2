package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.model.Accuracy;
import dev.haq.quantizer.onnx.CnnGraph.OutputKind;
import org.junit.jupiter.api.Test;

final class ScorerTest {
  private static final float[] SCORES = {9, 9, 1, 2, 3, 4, 5, 6, 7};

  @Test
  void theHighestScoreIsTheAnswer() {
    Accuracy right = new Scorer(OutputKind.LOGITS).score(SCORES, 2, 7, 6);
    assertEquals(1, right.top1Correct());
    Accuracy second = new Scorer(OutputKind.LOGITS).score(SCORES, 2, 7, 5);
    assertEquals(0, second.top1Correct());
    assertEquals(1, second.top5Correct());
    assertEquals(0, new Scorer(OutputKind.LOGITS).score(SCORES, 2, 7, 1).top5Correct());
  }

  @Test
  void ofEqualScoresTheLowerIndexComesFirst() {
    float[] equal = {1, 1};
    assertEquals(1, new Scorer(OutputKind.LOGITS).score(equal, 0, 2, 0).top1Correct());
    assertEquals(0, new Scorer(OutputKind.LOGITS).score(equal, 0, 2, 1).top1Correct());
  }

  @Test
  void crossEntropyIsTheSameFromLogitsAndFromProbabilities() {
    float[] logits = {(float) Math.log(0.2), (float) Math.log(0.8)};
    float[] probabilities = {0.2f, 0.8f};
    double expected = -Math.log(0.2);
    assertEquals(
        expected, new Scorer(OutputKind.LOGITS).score(logits, 0, 2, 0).crossEntropySum(), 1e-6);
    assertEquals(
        expected,
        new Scorer(OutputKind.PROBABILITIES).score(probabilities, 0, 2, 0).crossEntropySum(),
        1e-6);
  }

  @Test
  void scoresThatAreNoNumbersAreWrong() {
    Accuracy accuracy =
        new Scorer(OutputKind.LOGITS).score(new float[] {Float.NaN, Float.NaN}, 0, 2, 0);
    assertEquals(0, accuracy.top1Correct());
    assertEquals(-Math.log(Scorer.LEAST_PROBABILITY), accuracy.crossEntropySum(), 1e-6);
  }

  @Test
  void theDivergenceIsTheSameFromLogitsAndFromProbabilities() {
    float[] p = {0.7f, 0.2f, 0.1f};
    float[] q = {0.5f, 0.25f, 0.25f};
    double expected =
        0.7 * Math.log(0.7 / 0.5) + 0.2 * Math.log(0.2 / 0.25) + 0.1 * Math.log(0.1 / 0.25);
    assertEquals(expected, divergence(OutputKind.PROBABILITIES, p, q), 1e-6);
    assertEquals(expected, divergence(OutputKind.LOGITS, logs(p, 3), logs(q, -2)), 1e-6);
  }

  @Test
  void theDivergenceOfScoresThatAreNoNumbersIsFinite() {
    float[] exact = {5, 1};
    float[] broken = {Float.NaN, 1};
    double divergence = divergence(OutputKind.LOGITS, exact, broken);
    assertEquals(-Math.log(Scorer.LEAST_PROBABILITY), divergence, 1);
    assertEquals(0, divergence(OutputKind.LOGITS, exact, exact));
  }

  private static double divergence(OutputKind kind, float[] exact, float[] scores) {
    return new Scorer(kind)
        .score(scores, 0, scores.length, 0, exact, 0)
        .klDivergenceSum()
        .orElseThrow();
  }

  /** Logits of these probabilities: any constant may be added. */
  private static float[] logs(float[] probabilities, float shift) {
    float[] logs = probabilities.clone();
    for (int i = 0; i < logs.length; i++) {
      logs[i] = (float) Math.log(logs[i]) + shift;
    }
    return logs;
  }
}
