package dev.haq.quantizer.eval;

import ai.onnxruntime.OrtException;
import dev.haq.model.Accuracy;
import dev.haq.model.BitWidth;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.quantizer.graphs.GraphWriter;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.sharing.SharedBytes;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Evaluates policies: writes the quantized graph of a policy, opens a session on it, runs it over
 * the images and closes it again. What does not depend on the policy is kept: calibrations,
 * quantized weights, and answers, each up to a bound. Safe for use by many threads.
 */
public final class Evaluator implements AutoCloseable {
  private final Images.Source images;
  private final GraphWriter writer;
  private final SessionRunner runner;
  private final FineTuner tuner;
  private final Admission admission;
  private final KnownAnswers answers;
  private final FloatModels floatModels;
  private final PreparedNetworks networks;
  private final SharedBytes activationBytes;

  public Evaluator(
      Images.Source images, GraphWriter writer, FineTuner tuner, EvaluationLimits limits) {
    this.images = images;
    this.writer = writer;
    this.runner = new SessionRunner(limits.threads());
    this.tuner = tuner;
    this.admission = new Admission(limits.concurrent());
    this.answers = new KnownAnswers(limits.answers());
    this.floatModels = new FloatModels(limits.floatScoreBytes());
    this.networks =
        new PreparedNetworks(images, runner, tuner, limits.calibrations(), limits.models());
    this.activationBytes = new SharedBytes(limits.activationBytes());
  }

  /**
   * Evaluates; blocks until done.
   *
   * @param cancelled asked now and then whether nobody waits for the answer any more
   * @throws HaqException POLICY_MISMATCH, INVALID_BITS, what {@link Images.Source} throws, BUSY
   *     when too many wait already, or CANCELLED
   */
  public Evaluation evaluate(EvaluationRequest request, BooleanSupplier cancelled) {
    return evaluate(request, () -> admission.enter(cancelled), true, cancelled);
  }

  /**
   * As {@link #evaluate} for work under way that waits in a line of its own: never BUSY, unless the
   * recipe trains.
   */
  public Evaluation evaluateUnderWay(EvaluationRequest request, BooleanSupplier cancelled) {
    return evaluate(request, () -> admission.goOn(cancelled), false, cancelled);
  }

  private Evaluation evaluate(
      EvaluationRequest request, Runnable entering, boolean inLine, BooleanSupplier cancelled) {
    Optional<Policy> policy = request.quantizingPolicy();
    policy.ifPresent(p -> check(p, request.model()));
    if (!request.compareSpeed()) {
      Optional<Accuracy> known = answers.sum(request);
      if (known.isPresent()) {
        return new Evaluation(known.get(), 0, 0, OptionalDouble.empty(), true);
      }
    }
    FineTuner.Turn turn = enter(request, policy, entering, inLine, cancelled);
    try (turn) {
      return run(request, policy, cancelled);
    } catch (OrtException e) {
      throw Ort.failed(e);
    }
  }

  /**
   * Prepares the images of a request and waits for what it needs, which is held until the answer is
   * closed.
   *
   * @param entering waits until one more that does not train may run
   * @param inLine whether images that have to be prepared are waited for in line too
   */
  private FineTuner.Turn enter(
      EvaluationRequest request,
      Optional<Policy> policy,
      Runnable entering,
      boolean inLine,
      BooleanSupplier cancelled) {
    if (policy.isPresent() && request.recipe().isTrained()) {
      tuner.check(request.model().graph()); // refused before waiting
      networks.requireTrainingData(request.data(), request.recipe());
      return admission.enterToTrain(
          () -> {
            prepareImages(request.model(), request.data(), true, false, cancelled);
            networks.prepareTrainingImages(
                request.model(), request.data(), request.recipe(), cancelled);
            return tuner.turn(cancelled);
          },
          cancelled);
    }
    prepareImages(request.model(), request.data(), policy.isPresent(), inLine, cancelled);
    entering.run();
    return admission::leave;
  }

  /**
   * Has images decoded that are wanted for the first time, which may take minutes: to be done
   * before anything is held that others wait for.
   *
   * @param calibrated also those that calibrate
   * @param inLine whether to wait for them, where they are not at hand, in a line
   */
  void prepareImages(
      ImportedModel model,
      DataSelection data,
      boolean calibrated,
      boolean inLine,
      BooleanSupplier cancelled) {
    CnnGraph graph = model.graph();
    List<DataSelection> wanted =
        calibrated ? List.of(data, PreparedNetworks.calibrationData(data)) : List.of(data);
    Runnable preparing =
        () ->
            wanted.forEach(
                selection ->
                    images.images(selection, graph.inputShape(), graph.classes(), cancelled));
    if (!inLine
        || wanted.stream()
            .allMatch(selection -> images.arePrepared(selection, graph.inputShape()))) {
      preparing.run();
    } else {
      admission.prepare(preparing);
    }
  }

  /**
   * Hands out what an evaluation of a policy runs: its layers, as the recipe has them computed, and
   * the images. Counts as one evaluation; blocks until {@code use} is done.
   *
   * @throws HaqException as {@link #evaluate}
   */
  public <T> T withPolicy(
      EvaluationRequest request, BooleanSupplier cancelled, Function<PolicyRun, T> use) {
    Policy policy = request.policy().orElseThrow();
    check(policy, request.model());
    FineTuner.Turn turn =
        enter(request, request.policy(), () -> admission.enter(cancelled), true, cancelled);
    try (turn) {
      CnnGraph graph = request.model().graph();
      Images selected =
          images.images(request.data(), graph.inputShape(), graph.classes(), cancelled);
      PreparedNetwork network = network(request, policy, cancelled);
      List<LayerForm> layers = network.layers(policy, cancelled);
      return use.apply(new PolicyRun(network.graph(), layers, writer, selected, runner, cancelled));
    }
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

  private Evaluation run(
      EvaluationRequest request, Optional<Policy> policy, BooleanSupplier cancelled)
      throws OrtException {
    long start = System.nanoTime();
    BlockRunner blocks = blocks(request.model(), request.data(), cancelled);
    int count = blocks.blocks().count();
    int first = request.shard().first(count);
    int end = request.shard().end(count);
    BlockAnswers answer = answers.of(request, blocks.blocks());
    List<Integer> wanted =
        request.compareSpeed()
            ? IntStream.range(first, end).boxed().toList()
            : answer.missing(first, end, request.measureDivergence());
    Optional<Quantized> quantized = Optional.empty();
    Optional<FloatScores> exact = Optional.empty();
    if (policy.isPresent() && !wanted.isEmpty()) {
      PreparedNetwork network = network(request, policy.get(), cancelled);
      quantized =
          Optional.of(new Quantized(network.graph(), network.layers(policy.get(), cancelled)));
      if (request.measureDivergence()) {
        exact = Optional.of(floatScores(request.model(), request.data(), wanted, cancelled));
      }
    }
    double preparationSeconds = secondsSince(start);
    long begun = System.nanoTime();
    double seconds = 0;
    OptionalDouble floatSeconds = OptionalDouble.empty();
    if (!wanted.isEmpty()) {
      try (OpenedNetwork opened = open(quantized, blocks)) {
        BlockRunner reading = blocks.reading(opened.images());
        if (request.compareSpeed() && policy.isPresent()) {
          double openingSeconds = secondsSince(begun);
          TimesInTurns times =
              TimesInTurns.of(opened.session(), reading, blocks, wanted, exact, answer, cancelled);
          seconds = openingSeconds + times.quantizedSeconds();
          floatSeconds = OptionalDouble.of(times.floatSeconds());
        } else {
          begun = policy.isPresent() ? begun : System.nanoTime();
          reading.score(opened.session(), wanted, exact, answer, cancelled);
          seconds = secondsSince(begun);
          floatSeconds = request.compareSpeed() ? OptionalDouble.of(seconds) : floatSeconds;
        }
      }
    }
    return new Evaluation(
        KnownAnswers.sum(answer, request).orElseThrow(),
        seconds,
        preparationSeconds,
        floatSeconds,
        false);
  }

  /** A network as a recipe has it, and how a policy wants its layers computed. */
  private record Quantized(CnnGraph graph, List<LayerForm> layers) {}

  /** Lets in what runs images; to be entered before any of the following is used. */
  Admission admission() {
    return admission;
  }

  SensitivityRun sensitivityRun(BlockRunner blocks, List<LayerForm> base, FloatScores exact) {
    return new SensitivityRun(runner, blocks, base, exact, activationBytes);
  }

  /** Bytes of activations that measurements of sensitivity hold now. */
  long activationBytesHeld() {
    return activationBytes.held();
  }

  /** The selected images of a model, in blocks. */
  BlockRunner blocks(ImportedModel model, DataSelection data, BooleanSupplier cancelled) {
    return blocks(model.graph(), data, cancelled);
  }

  /** The selected images of a network, in blocks. */
  BlockRunner blocks(CnnGraph graph, DataSelection data, BooleanSupplier cancelled) {
    return BlockRunner.of(
        runner, graph, images.images(data, graph.inputShape(), graph.classes(), cancelled));
  }

  /** The float model's scores, known on the wanted blocks at least. */
  FloatScores floatScores(
      ImportedModel model, DataSelection data, List<Integer> wanted, BooleanSupplier cancelled) {
    return floatModels.scores(model, data, blocks(model, data, cancelled), wanted, cancelled);
  }

  /** What the recipe makes of the model for a policy. */
  private PreparedNetwork network(
      EvaluationRequest request, Policy policy, BooleanSupplier cancelled) {
    return request.recipe().isTrained()
        ? networks.trained(request.model(), request.data(), request.recipe(), policy, cancelled)
        : networks.of(request.model(), request.data(), request.recipe(), cancelled);
  }

  /**
   * Trains the model as its recipe says, quantized by a policy; blocks until done.
   *
   * @param checkpoint where each epoch's end is kept; empty keeps none
   * @throws HaqException as {@link #evaluate} and {@link FineTuner#tune}
   */
  public FineTuner.Tuned tune(
      EvaluationRequest request,
      Optional<Path> checkpoint,
      FineTuner.Listener listener,
      BooleanSupplier cancelled) {
    Policy policy = request.policy().orElseThrow();
    check(policy, request.model());
    return networks.tune(
        request.model(), request.data(), request.recipe(), policy, checkpoint, listener, cancelled);
  }

  /**
   * Refuses what cannot be trained, without training it.
   *
   * @throws HaqException as {@link #tune}
   */
  public void checkTrainable(EvaluationRequest request, BooleanSupplier cancelled) {
    check(request.policy().orElseThrow(), request.model());
    networks.checkTrainable(request.model(), request.data(), request.recipe(), cancelled);
  }

  /** A model as a recipe has it, whatever the policy; made once and kept. */
  PreparedNetwork prepared(
      ImportedModel model, DataSelection data, Recipe recipe, BooleanSupplier cancelled) {
    return networks.of(model, data, recipe, cancelled);
  }

  /** Drops what is remembered of a model or a dataset that was deleted. */
  public void forget(String id) {
    answers.forget(id);
    floatModels.forget(id);
    networks.forget(id);
    images.forget(id);
  }

  private OpenedNetwork open(Optional<Quantized> quantized, BlockRunner blocks) {
    return quantized
        .map(q -> OpenedNetwork.of(writer, q.graph(), q.layers(), blocks.images()))
        .orElseGet(() -> new OpenedNetwork(FloatModels.open(blocks.graph()), blocks.images()));
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  @Override
  public void close() {
    runner.close();
  }
}
