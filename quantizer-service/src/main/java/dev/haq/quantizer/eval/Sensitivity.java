package dev.haq.quantizer.eval;

import ai.onnxruntime.OrtException;
import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.quantizer.eval.LayerSensitivity.Point;
import dev.haq.quantizer.eval.SensitivityRun.Outcome;
import dev.haq.quantizer.graphs.LayerForm;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Ort;
import dev.haq.quantizer.quant.LinearQuantizer;
import dev.haq.quantizer.sharing.Line;
import dev.haq.quantizer.sharing.Waits;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * What each layer does to accuracy by itself, layer by layer from the first on. What was measured
 * is kept at once, so that a second call, or one that goes on after a cut one, measures only what
 * is missing. Safe for use by many threads; equal calls at the same time share the work.
 */
public final class Sensitivity {
  /** Each holds a thread that serves all calls until it is done, while it waits too. */
  private static final int MOST_AT_ONCE = 8;

  private final Evaluator evaluator;
  private final SensitivityStore store;
  private final Line underWay = new Line(MOST_AT_ONCE, "measurements of sensitivity are under way");

  /** One measures at a time for a key; keys that share a lock wait for one another. */
  private final List<ReentrantLock> locks =
      IntStream.range(0, 64).mapToObj(i -> new ReentrantLock()).toList();

  public Sensitivity(Evaluator evaluator, SensitivityStore store) {
    this.evaluator = evaluator;
    this.store = store;
  }

  /**
   * What is to be measured: every layer at every width given, each operand apart.
   *
   * @param weightBits within 2..8
   * @param activationBits within 2..8
   */
  public record Request(
      ImportedModel model,
      DataSelection data,
      Recipe recipe,
      BitChoices weightBits,
      BitChoices activationBits) {
    public Request {
      for (BitChoices choices : List.of(weightBits, activationBits)) {
        if (choices.min() < LinearQuantizer.NARROWEST || choices.max() > LinearQuantizer.WIDEST) {
          throw new HaqException(
              Reason.INVALID_BITS,
              "bit-widths %s cannot be measured: use %d to %d"
                  .formatted(choices, LinearQuantizer.NARROWEST, LinearQuantizer.WIDEST));
        }
      }
    }

    /** What there is to know of a layer: weights before activations, few bits before many. */
    private List<Point> points(int layer) {
      String name = model.network().layer(layer).name();
      List<Point> points = new ArrayList<>();
      weightBits.bits().forEach(b -> points.add(new Point(name, Operand.WEIGHTS, b)));
      activationBits.bits().forEach(b -> points.add(new Point(name, Operand.ACTIVATIONS, b)));
      return points;
    }
  }

  /** Told what was found while it is found, in order, on the caller's thread. */
  public interface Listener {
    /**
     * First.
     *
     * @param baseline the float model on the same images
     * @param entries that follow
     */
    void start(Accuracy baseline, int entries);

    /**
     * @param done entries told so far, this one included
     * @param secondsLeft estimate for those still to come
     * @param cached whether it was known before this call
     */
    void entry(LayerSensitivity entry, int done, double secondsLeft, boolean cached);
  }

  /**
   * Measures; blocks until all is told.
   *
   * @param cancelled asked now and then whether nobody listens any more
   * @throws HaqException as {@link Evaluator#evaluate}; BUSY also when many are measured already
   */
  public void measure(Request request, Listener listener, BooleanSupplier cancelled) {
    try (Measurement measurement = new Measurement(request, listener, cancelled)) {
      measurement.run();
    }
  }

  /** Drops what is kept of a model or a dataset that was deleted. */
  public void forget(String id) {
    store.remove(id);
  }

  /** One call. */
  private final class Measurement implements AutoCloseable {
    private final Request request;
    private final Listener listener;
    private final BooleanSupplier cancelled;
    private final String key;
    private final int layers;
    private Map<Point, LayerSensitivity> known;
    private PreparedNetwork network; // null when nothing has to be measured
    private SensitivityRun run; // null when nothing has to be measured
    private Accuracy baseline; // null until known
    private int done;
    private double macsDone;
    private double seconds;
    private double secondsAMac;

    Measurement(Request request, Listener listener, BooleanSupplier cancelled) {
      this.request = request;
      this.listener = listener;
      this.cancelled = cancelled;
      this.key = SensitivityStore.key(request.model().id(), request.data(), request.recipe());
      this.layers = request.model().network().size();
    }

    void run() {
      SensitivityStore.Known stored = store.read(key);
      known = new HashMap<>(stored.entries());
      stored.baseline().ifPresent(accuracy -> baseline = accuracy);
      if (baseline != null && IntStream.range(0, layers).allMatch(k -> missing(k).isEmpty())) {
        tell();
        return;
      }
      underWay.hold(
          () -> {
            prepare();
            tell();
            return true;
          });
    }

    private void tell() {
      int entries = layers * (request.weightBits().size() + request.activationBits().size());
      listener.start(baseline, entries);
      for (int layer = 0; layer < layers; layer++) {
        try {
          tell(layer, missing(layer).isEmpty() ? List.of() : measured(layer));
        } catch (OrtException e) {
          throw Ort.failed(e);
        }
      }
    }

    private List<Point> missing(int layer) {
      return request.points(layer).stream().filter(point -> !known.containsKey(point)).toList();
    }

    /** Measures what is missing of a layer and keeps it; answers what was. */
    private List<Point> measured(int layer) throws OrtException {
      ReentrantLock lock = locks.get(Math.floorMod(key.hashCode(), locks.size()));
      Waits.until(millis -> lock.tryLock(millis, TimeUnit.MILLISECONDS), cancelled);
      try {
        known.putAll(store.read(key).entries()); // an equal call may have been faster
        List<Point> missing = missing(layer);
        if (missing.isEmpty()) {
          return missing;
        }
        evaluator.admission().goOn(cancelled);
        long start = System.nanoTime();
        try {
          List<LayerSensitivity> found = trials(layer, missing);
          found.forEach(entry -> known.put(entry.point(), entry));
          store.add(key, baseline, found);
        } finally {
          evaluator.admission().leave();
        }
        seconds += (System.nanoTime() - start) / 1e9;
        macsDone += missing.size() * macsFrom(layer);
        secondsAMac = seconds / macsDone;
        return missing;
      } finally {
        lock.unlock();
      }
    }

    /** The float model on all images, and its quantizers. */
    private void prepare() {
      evaluator.prepareImages(request.model(), request.data(), true, false, cancelled);
      evaluator.admission().enter(cancelled);
      try {
        ImportedModel model = request.model();
        BlockRunner blocks = evaluator.blocks(model, request.data(), cancelled);
        List<Integer> all = IntStream.range(0, blocks.blocks().count()).boxed().toList();
        FloatScores exact = evaluator.floatScores(model, request.data(), all, cancelled);
        baseline = blocks.score(exact);
        secondsAMac = exact.secondsAnImage() * blocks.images().size() / Math.max(1, macsFrom(0));
        network = evaluator.prepared(model, request.data(), request.recipe(), cancelled);
        run =
            evaluator.sensitivityRun(
                evaluator.blocks(network.graph(), request.data(), cancelled),
                network.layers(Policy.unquantized(layers), cancelled),
                exact);
      } finally {
        evaluator.admission().leave();
      }
    }

    private List<LayerSensitivity> trials(int layer, List<Point> points) throws OrtException {
      List<List<LayerForm>> trials = new ArrayList<>();
      for (Point point : points) {
        LayerBits bits = LayerBits.unquantized().with(point.operand(), BitWidth.of(point.bits()));
        trials.add(network.layers(Policy.unquantized(layers).with(layer, bits), cancelled));
      }
      List<Outcome> outcomes = run.measure(layer, trials, cancelled);
      List<LayerSensitivity> found = new ArrayList<>();
      for (int i = 0; i < points.size(); i++) {
        Outcome outcome = outcomes.get(i);
        found.add(
            new LayerSensitivity(points.get(i), outcome.accuracy(), outcome.signalToNoiseDb()));
      }
      return found;
    }

    private void tell(int layer, List<Point> measured) {
      double left = secondsLeft(layer + 1);
      for (Point point : request.points(layer)) {
        listener.entry(known.get(point), ++done, left, !measured.contains(point));
      }
    }

    private double secondsLeft(int from) {
      double macs = 0;
      for (int layer = from; layer < layers; layer++) {
        macs += missing(layer).size() * macsFrom(layer);
      }
      return macs * secondsAMac;
    }

    /** Multiply-accumulates of the layers from one on: what a trial of it takes, near enough. */
    private double macsFrom(int layer) {
      return request.model().network().layers().subList(layer, layers).stream()
          .mapToDouble(l -> l.macs())
          .sum();
    }

    @Override
    public void close() {
      Optional.ofNullable(run).ifPresent(SensitivityRun::close);
    }
  }
}
