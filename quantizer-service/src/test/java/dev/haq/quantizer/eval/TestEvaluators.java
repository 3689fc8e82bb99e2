package dev.haq.quantizer.eval;

import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.quantizer.graphs.GraphWriter;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Evaluators for tests. */
public final class TestEvaluators {
  private static final long FLOAT_SCORE_BYTES = 64 << 20;
  private static final long ACTIVATION_BYTES = 512 << 20;

  private TestEvaluators() {}

  /** Where images come from that are at hand, none of which calibrate and judge. */
  public interface AtHand extends Images.Source {
    Images images(DataSelection selection, List<Integer> inputShape, int classes);

    @Override
    default Images images(
        DataSelection selection, List<Integer> inputShape, int classes, BooleanSupplier cancelled) {
      return images(selection, inputShape, classes);
    }

    @Override
    default boolean arePrepared(DataSelection selection, List<Integer> inputShape) {
      return true;
    }

    @Override
    default Optional<Preprocessing> declared(String datasetId) {
      return Optional.empty();
    }

    @Override
    default void forget(String datasetId) {}

    @Override
    default boolean hasCalibrationImages(DataSelection selection) {
      return false;
    }
  }

  /** One that does not train, of images at hand. */
  public static Evaluator of(AtHand images, GraphWriter writer, EvaluationLimits limits) {
    return of((Images.Source) images, writer, limits);
  }

  /** One that does not train. */
  public static Evaluator of(Images.Source images, GraphWriter writer, EvaluationLimits limits) {
    return new Evaluator(
        images,
        writer,
        (task, listener, cancelled) -> {
          throw HaqException.invalid("this evaluator does not train: use another recipe");
        },
        limits);
  }

  /** With the usual bounds in bytes. */
  public static EvaluationLimits limits(
      int threads, int concurrent, int answers, int calibrations, int models) {
    return new EvaluationLimits(
        threads, concurrent, answers, calibrations, models, FLOAT_SCORE_BYTES, ACTIVATION_BYTES);
  }
}
