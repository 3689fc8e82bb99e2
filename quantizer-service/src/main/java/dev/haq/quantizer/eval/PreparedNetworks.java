package dev.haq.quantizer.eval;

import dev.haq.model.DataSelection;
import dev.haq.model.DataSelection.Split;
import dev.haq.model.HaqException;
import dev.haq.model.Policy;
import dev.haq.model.Recipe;
import dev.haq.quantizer.graphs.EqualisedGraph;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.quant.Numerics;
import dev.haq.quantizer.sharing.MadeOnce;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What recipes make of models whatever the policy: made once and kept, up to bounds. Safe for use
 * by many threads.
 */
final class PreparedNetworks {
  private final Images.Source images;
  private final SessionRunner runner;
  private final FineTuner tuner;
  private final MadeOnce<CalibrationKey, Calibration> calibrations;
  private final MadeOnce<PreparedKey, PreparedNetwork> prepared;

  private record CalibrationKey(String model, DataSelection data, boolean equalised) {}

  private record PreparedKey(String model, DataSelection data, Numerics numerics) {}

  /**
   * @param calibrationsKept how many calibrations are remembered
   * @param networksKept how many networks are remembered
   */
  PreparedNetworks(
      Images.Source images,
      SessionRunner runner,
      FineTuner tuner,
      int calibrationsKept,
      int networksKept) {
    this.images = images;
    this.runner = runner;
    this.tuner = tuner;
    this.calibrations = new MadeOnce<>(calibrationsKept);
    this.prepared = new MadeOnce<>(networksKept);
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
    return prepared.get(key, () -> prepare(model, data, numerics, cancelled), cancelled);
  }

  private PreparedNetwork prepare(
      ImportedModel model, DataSelection data, Numerics numerics, BooleanSupplier cancelled) {
    CnnGraph graph = numerics.equalised() ? EqualisedGraph.of(model.graph()) : model.graph();
    Images selected = images.images(data, graph.inputShape(), graph.classes(), cancelled);
    Calibration calibration =
        calibrations.get(
            new CalibrationKey(model.id(), data, numerics.equalised()),
            () -> Calibration.of(graph, selected, runner, cancelled),
            cancelled);
    return PreparedNetwork.of(graph, numerics, calibration, selected, runner, cancelled);
  }

  /** A model trained as a recipe says, for one policy alone, so none of it is kept. */
  PreparedNetwork trained(
      ImportedModel model,
      DataSelection evaluated,
      Recipe recipe,
      Policy policy,
      BooleanSupplier cancelled) {
    CnnGraph graph =
        tune(model, evaluated, recipe, policy, Optional.empty(), step -> {}, cancelled).graph();
    Images selected =
        images.images(calibrationData(evaluated), graph.inputShape(), graph.classes(), cancelled);
    return PreparedNetwork.of(
        graph,
        Numerics.of(recipe),
        Calibration.of(graph, selected, runner, cancelled),
        selected,
        runner,
        cancelled);
  }

  /**
   * Trains a model as a recipe says, quantized by a policy; blocks until done.
   *
   * @param checkpoint where each epoch's end is kept; empty keeps none
   */
  FineTuner.Tuned tune(
      ImportedModel model,
      DataSelection evaluated,
      Recipe recipe,
      Policy policy,
      Optional<Path> checkpoint,
      FineTuner.Listener listener,
      BooleanSupplier cancelled) {
    PreparedNetwork network = of(model, evaluated, recipe, cancelled);
    CnnGraph graph = network.graph();
    Images training =
        images.images(
            trainingData(evaluated, recipe), graph.inputShape(), graph.classes(), cancelled);
    FineTuner.Task task =
        new FineTuner.Task(graph, network.trained(policy), training, recipe.training(), checkpoint);
    return tuner.tune(task, listener, cancelled);
  }

  /** Refuses a model that cannot be trained, and images to train on that do not fit it. */
  void checkTrainable(
      ImportedModel model, DataSelection evaluated, Recipe recipe, BooleanSupplier cancelled) {
    CnnGraph graph = model.graph();
    tuner.check(graph);
    DataSelection one = trainingData(evaluated, recipe).withMaxImages(1);
    images.images(one, graph.inputShape(), graph.classes(), cancelled);
  }

  /** Has the images to train on decoded where they are wanted for the first time. */
  void prepareTrainingImages(
      ImportedModel model, DataSelection evaluated, Recipe recipe, BooleanSupplier cancelled) {
    CnnGraph graph = model.graph();
    images.images(trainingData(evaluated, recipe), graph.inputShape(), graph.classes(), cancelled);
  }

  /**
   * The images to train on are prepared as those that judge, unless their own way is given: as the
   * request says of either, else as their dataset declares, else as that of the others does.
   */
  private DataSelection trainingData(DataSelection evaluated, Recipe recipe) {
    requireTrainingData(evaluated, recipe);
    DataSelection data = recipe.training().data().orElseGet(() -> calibrationData(evaluated));
    return data.withPreprocessing(
        data.preprocessing()
            .or(evaluated::preprocessing)
            .or(() -> images.declared(data.datasetId()))
            .or(() -> images.declared(evaluated.datasetId())));
  }

  /**
   * Refuses to train, where no images are named for that, on images that judge the outcome.
   *
   * @throws HaqException INVALID_ARGUMENT
   */
  void requireTrainingData(DataSelection evaluated, Recipe recipe) {
    if (recipe.training().data().isEmpty() && images.hasCalibrationImages(evaluated)) {
      throw HaqException.invalid(
          "recipe '%s' trains on the calibration images unless others are named, and these are among the images of '%s' that judge the outcome: name images to train on (--train-data, fine_tuning.data), or judge on the held-out split",
          recipe.name(), evaluated.datasetId());
    }
  }

  /** Drops what is remembered of a model or a dataset. */
  void forget(String id) {
    calibrations.removeIf(key -> key.model().equals(id) || key.data().datasetId().equals(id));
    prepared.removeIf(key -> key.model().equals(id) || key.data().datasetId().equals(id));
  }

  /** The images that calibrate, from those that judge. */
  static DataSelection calibrationData(DataSelection data) {
    return data.withSplit(Split.CALIBRATION).withMaxImages(0);
  }
}
