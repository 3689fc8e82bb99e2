package dev.haq.quantizer.eval;

import dev.haq.model.DataSelection;
import dev.haq.model.DataSelection.Split;
import dev.haq.model.Recipe;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.EqualisedGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.quant.Numerics;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What recipes make of models whatever the policy: made once and kept, up to bounds. Safe for use
 * by many threads.
 */
final class PreparedNetworks {
  private final Images.Source images;
  private final SessionRunner runner;
  private final LruCache<CalibrationKey, Calibration> calibrations;
  private final LruCache<PreparedKey, PreparedNetwork> prepared;
  private final Object preparing = new Object();

  private record CalibrationKey(String model, DataSelection data, boolean equalised) {}

  private record PreparedKey(String model, DataSelection data, Numerics numerics) {}

  /**
   * @param calibrationsKept how many calibrations are remembered
   * @param networksKept how many networks are remembered
   */
  PreparedNetworks(
      Images.Source images, SessionRunner runner, int calibrationsKept, int networksKept) {
    this.images = images;
    this.runner = runner;
    this.calibrations = new LruCache<>(calibrationsKept);
    this.prepared = new LruCache<>(networksKept);
  }

  /**
   * A model as a recipe has it.
   *
   * @param evaluated the images that judge it; those that calibrate follow from them
   */
  PreparedNetwork of(
      ImportedModel model, DataSelection evaluated, Recipe recipe, BooleanSupplier cancelled) {
    Numerics numerics = Numerics.of(recipe);
    DataSelection data = calibrationData(evaluated);
    PreparedKey key = new PreparedKey(model.id(), data, numerics);
    Optional<PreparedNetwork> known = prepared.get(key);
    if (known.isPresent()) {
      return known.get();
    }
    synchronized (preparing) {
      return prepared
          .get(key)
          .orElseGet(() -> prepared.putIfAbsent(key, prepare(model, data, numerics, cancelled)));
    }
  }

  private PreparedNetwork prepare(
      ImportedModel model, DataSelection data, Numerics numerics, BooleanSupplier cancelled) {
    CnnGraph graph = numerics.equalised() ? EqualisedGraph.of(model.graph()) : model.graph();
    Images selected = images.images(data, graph.inputShape(), graph.classes());
    CalibrationKey key = new CalibrationKey(model.id(), data, numerics.equalised());
    Calibration calibration =
        calibrations
            .get(key)
            .orElseGet(
                () ->
                    calibrations.putIfAbsent(
                        key, Calibration.of(graph, selected, runner, cancelled)));
    return PreparedNetwork.of(graph, numerics, calibration, selected, runner, cancelled);
  }

  /** The images that calibrate, from those that judge. */
  static DataSelection calibrationData(DataSelection data) {
    return new DataSelection(
        data.datasetId(),
        data.preprocessing(),
        Split.CALIBRATION,
        0,
        data.calibrationImages(),
        data.splitSeed(),
        data.heldOutFraction());
  }
}
