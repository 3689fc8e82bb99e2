package dev.haq.quantizer.eval;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.haq.model.Accuracy;
import dev.haq.model.BitWidth;
import dev.haq.model.DataSelection;
import dev.haq.model.DataSelection.Split;
import dev.haq.model.FineTuning;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.EqualisedGraph;
import dev.haq.quantizer.onnx.FloatGraph;
import dev.haq.quantizer.onnx.GraphWriter;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.LayerForm;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.quant.Numerics;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * Evaluates policies: writes the quantized graph of a policy, opens a session on it, runs it over
 * the images and closes it again. What does not depend on the policy is kept: calibrations,
 * quantized weights, and answers, each up to a bound. Safe for use by many threads.
 */
public final class Evaluator implements AutoCloseable {
  /** Slices of the images in which float and quantized runs alternate when speeds are compared. */
  private static final int TIMED_SLICES = 10;

  private static final long CANCEL_CHECK_MILLIS = 50;

  /** Half the threads that serve calls, so that waiting evaluations never block other calls. */
  private static final int MOST_WAITING = 32;

  private final Images.Source images;
  private final GraphWriter writer;
  private final FineTuner tuner;
  private final SessionRunner runner;
  private final Semaphore running;
  private final AtomicInteger waiting = new AtomicInteger();
  private final LruCache<AnswerKey, Accuracy> answers;
  private final LruCache<CalibrationKey, Calibration> calibrations;
  private final LruCache<PreparedKey, PreparedNetwork> prepared;
  private final Object calibrating = new Object();

  /**
   * How much an evaluator does at once and remembers.
   *
   * @param threads that run images, at least 1
   * @param concurrent evaluations under way at once; others wait. Each holds one session
   * @param answers remembered, about 1 KiB each
   * @param calibrations remembered, 32 KiB a layer each
   * @param models whose quantized weights are remembered, each with one recipe and data: at most 7
   *     bytes a weight, 28 with codebooks; and for second-order rounding of layers of n weights an
   *     output 8 n^2 bytes, n at most 1024
   */
  public record Limits(int threads, int concurrent, int answers, int calibrations, int models) {
    public Limits {
      for (int limit : new int[] {threads, concurrent, answers, calibrations, models}) {
        if (limit < 1) {
          throw HaqException.invalid("evaluation limit %d must be at least 1", limit);
        }
      }
    }
  }

  /** An evaluator that refuses recipes that train. */
  public Evaluator(Images.Source images, GraphWriter writer, Limits limits) {
    this(
        images,
        writer,
        (task, listener, cancelled) -> {
          throw HaqException.invalid("this evaluator does not train: use another recipe");
        },
        limits);
  }

  public Evaluator(Images.Source images, GraphWriter writer, FineTuner tuner, Limits limits) {
    this.images = images;
    this.writer = writer;
    this.tuner = tuner;
    this.runner = new SessionRunner(limits.threads());
    this.running = new Semaphore(limits.concurrent(), true);
    this.answers = new LruCache<>(limits.answers());
    this.calibrations = new LruCache<>(limits.calibrations());
    this.prepared = new LruCache<>(limits.models());
  }

  /**
   * What is to be evaluated.
   *
   * @param policy empty for the float model
   * @param compareSpeed also time the float model, on the same images and threads, in turns
   */
  public record Request(
      ImportedModel model,
      DataSelection data,
      Optional<Policy> policy,
      Recipe recipe,
      boolean compareSpeed) {}

  private record AnswerKey(
      String model, DataSelection data, Optional<Policy> policy, Recipe recipe) {}

  private record CalibrationKey(String model, DataSelection data, boolean equalised) {}

  private record PreparedKey(String model, DataSelection data, Numerics numerics) {}

  /**
   * Evaluates; blocks until done.
   *
   * @param cancelled asked now and then whether nobody waits for the answer any more
   * @throws HaqException POLICY_MISMATCH, INVALID_BITS, what {@link Images.Source} throws, BUSY
   *     when too many wait already, or CANCELLED
   */
  public Evaluation evaluate(Request request, BooleanSupplier cancelled) {
    Optional<Policy> policy = request.policy().filter(p -> !isFloat(p));
    policy.ifPresent(p -> check(p, request.model()));
    AnswerKey key = new AnswerKey(request.model().id(), request.data(), policy, request.recipe());
    if (!request.compareSpeed()) {
      Optional<Accuracy> known = answers.get(key);
      if (known.isPresent()) {
        return new Evaluation(known.get(), 0, 0, OptionalDouble.empty(), true);
      }
    }
    acquire(cancelled);
    try {
      Evaluation evaluation = run(request, policy, cancelled);
      answers.putIfAbsent(key, evaluation.accuracy());
      return evaluation;
    } catch (OrtException e) {
      throw Ort.refused(e);
    } finally {
      running.release();
    }
  }

  private static boolean isFloat(Policy policy) {
    return policy.layers().stream().allMatch(LayerBits.unquantized()::equals);
  }

  private static void check(Policy policy, ImportedModel model) {
    policy.checkedAgainst(model.network());
    for (int k = 0; k < policy.size(); k++) {
      LayerBits bits = policy.get(k);
      for (BitWidth width : List.of(bits.weights(), bits.activations())) {
        if (!width.isFloat()
            && (width.bits() < LinearQuantizer.NARROWEST
                || width.bits() > LinearQuantizer.WIDEST)) {
          throw new HaqException(
              Reason.INVALID_BITS,
              "layer %s at %s cannot be evaluated: use %d to %d bits, or none for float"
                  .formatted(
                      model.network().layer(k).name(),
                      bits,
                      LinearQuantizer.NARROWEST,
                      LinearQuantizer.WIDEST));
        }
      }
    }
  }

  private void acquire(BooleanSupplier cancelled) {
    try {
      if (waiting.incrementAndGet() > MOST_WAITING) {
        throw new HaqException(
            Reason.BUSY,
            MOST_WAITING + " evaluations wait already: try again later, or use another replica");
      }
      while (!running.tryAcquire(CANCEL_CHECK_MILLIS, TimeUnit.MILLISECONDS)) {
        if (cancelled.getAsBoolean()) {
          throw new HaqException(Reason.CANCELLED, "the caller left, or its deadline passed");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HaqException(Reason.CANCELLED, "the evaluation was interrupted", e);
    } finally {
      waiting.decrementAndGet();
    }
  }

  private Evaluation run(Request request, Optional<Policy> policy, BooleanSupplier cancelled)
      throws OrtException {
    CnnGraph graph = request.model().graph();
    long start = System.nanoTime();
    Images selected = images.images(request.data(), graph.inputShape(), graph.classes());
    double preparationSeconds = secondsSince(start);
    if (policy.isEmpty()) {
      try (OrtSession session = openFloat(graph)) {
        long begun = System.nanoTime();
        Accuracy accuracy =
            runner.accuracy(session, graph, selected, 0, selected.size(), cancelled);
        double seconds = secondsSince(begun);
        return new Evaluation(
            accuracy,
            seconds,
            preparationSeconds,
            request.compareSpeed() ? OptionalDouble.of(seconds) : OptionalDouble.empty(),
            false);
      }
    }
    PreparedNetwork network =
        request.recipe().isTrained() ? trained(request, cancelled) : prepared(request, cancelled);
    List<LayerForm> layers = network.layers(policy.get());
    preparationSeconds = secondsSince(start);
    long begun = System.nanoTime();
    try (OrtSession session = openQuantized(network.graph(), layers)) {
      double openingSeconds = secondsSince(begun);
      if (request.compareSpeed()) {
        return compared(session, graph, selected, openingSeconds, preparationSeconds, cancelled);
      }
      Accuracy accuracy = runner.accuracy(session, graph, selected, 0, selected.size(), cancelled);
      return new Evaluation(
          accuracy, secondsSince(begun), preparationSeconds, OptionalDouble.empty(), false);
    }
  }

  /**
   * Float and quantized runs in turns over slices of the images, so that both see the same load.
   */
  private Evaluation compared(
      OrtSession session,
      CnnGraph graph,
      Images selected,
      double openingSeconds,
      double preparationSeconds,
      BooleanSupplier cancelled)
      throws OrtException {
    try (OrtSession floatSession = openFloat(graph)) {
      double quantizedSeconds = openingSeconds;
      double floatSeconds = 0;
      Optional<Accuracy> sum = Optional.empty();
      int batch = SessionRunner.batchSize(graph);
      int size = selected.size();
      int slice = Math.max(1, (size / TIMED_SLICES + batch - 1) / batch) * batch;
      for (int from = 0; from < size; from += slice) {
        int to = Math.min(size, from + slice);
        long begun = System.nanoTime();
        runner.accuracy(floatSession, graph, selected, from, to, cancelled);
        floatSeconds += secondsSince(begun);
        begun = System.nanoTime();
        Accuracy part = runner.accuracy(session, graph, selected, from, to, cancelled);
        quantizedSeconds += secondsSince(begun);
        sum = Optional.of(sum.map(s -> s.plus(part)).orElse(part));
      }
      return new Evaluation(
          sum.orElseThrow(),
          quantizedSeconds,
          preparationSeconds,
          OptionalDouble.of(floatSeconds),
          false);
    }
  }

  private static OrtSession openFloat(CnnGraph graph) {
    return Ort.open(
        FloatGraph.write(graph, List.of(graph.output())).toByteArray(), FloatGraph.rewriting());
  }

  private OrtSession openQuantized(CnnGraph graph, List<LayerForm> layers) {
    return Ort.open(writer.write(graph, layers).toByteArray(), writer.rewriting());
  }

  /**
   * Trains the model as its recipe says, quantized by a policy; blocks until done.
   *
   * @param checkpoint where each epoch's end is kept; empty keeps none
   * @throws HaqException as {@link #evaluate} and {@link FineTuner#tune}
   */
  public FineTuner.Tuned tune(
      Request request,
      Optional<Path> checkpoint,
      FineTuner.Listener listener,
      BooleanSupplier cancelled) {
    Policy policy = request.policy().orElseThrow();
    check(policy, request.model());
    FineTuning settings = request.recipe().training();
    PreparedNetwork network = prepared(request, cancelled);
    CnnGraph graph = network.graph();
    Images training = images.images(trainingData(request), graph.inputShape(), graph.classes());
    FineTuner.Task task =
        new FineTuner.Task(graph, network.trained(policy), training, settings, checkpoint);
    return tuner.tune(task, listener, cancelled);
  }

  /** The images to train on are prepared as those that judge, unless their own way is given. */
  private static DataSelection trainingData(Request request) {
    DataSelection data =
        request.recipe().training().data().orElseGet(() -> calibrationData(request.data()));
    return new DataSelection(
        data.datasetId(),
        data.preprocessing().or(request.data()::preprocessing),
        data.split(),
        data.maxImages(),
        data.calibrationImages(),
        data.splitSeed(),
        data.heldOutFraction());
  }

  /** The network trained for this policy alone, so none of it is kept. */
  private PreparedNetwork trained(Request request, BooleanSupplier cancelled) {
    CnnGraph graph = tune(request, Optional.empty(), step -> {}, cancelled).graph();
    Images selected =
        images.images(calibrationData(request.data()), graph.inputShape(), graph.classes());
    return PreparedNetwork.of(
        graph,
        Numerics.of(request.recipe()),
        Calibration.of(graph, selected, runner, cancelled),
        selected,
        runner,
        cancelled);
  }

  /** What the recipe makes of the model whatever the policy; made once and kept. */
  private PreparedNetwork prepared(Request request, BooleanSupplier cancelled) {
    Numerics numerics = Numerics.of(request.recipe());
    DataSelection data = calibrationData(request.data());
    PreparedKey key = new PreparedKey(request.model().id(), data, numerics);
    Optional<PreparedNetwork> known = prepared.get(key);
    if (known.isPresent()) {
      return known.get();
    }
    synchronized (calibrating) {
      return prepared
          .get(key)
          .orElseGet(() -> prepared.putIfAbsent(key, prepare(request, data, numerics, cancelled)));
    }
  }

  private PreparedNetwork prepare(
      Request request, DataSelection data, Numerics numerics, BooleanSupplier cancelled) {
    CnnGraph model = request.model().graph();
    CnnGraph graph = numerics.equalised() ? EqualisedGraph.of(model) : model;
    Images selected = images.images(data, graph.inputShape(), graph.classes());
    CalibrationKey key = new CalibrationKey(request.model().id(), data, numerics.equalised());
    Calibration calibration =
        calibrations
            .get(key)
            .orElseGet(
                () ->
                    calibrations.putIfAbsent(
                        key, Calibration.of(graph, selected, runner, cancelled)));
    return PreparedNetwork.of(graph, numerics, calibration, selected, runner, cancelled);
  }

  private static DataSelection calibrationData(DataSelection data) {
    return new DataSelection(
        data.datasetId(),
        data.preprocessing(),
        Split.CALIBRATION,
        0,
        data.calibrationImages(),
        data.splitSeed(),
        data.heldOutFraction());
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    runner.close();
  }
}
