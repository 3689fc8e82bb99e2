package dev.haq.quantizer.train;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import dev.haq.model.FineTuning;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.builtin.CounterRandom;
import dev.haq.quantizer.eval.FineTuner;
import dev.haq.quantizer.eval.Images;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.sharing.Waits;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Quantization-aware training with the straight-through estimator (HAQ paper, 3.5): forward with
 * weights and activations quantized as the policy says, backward as if rounding were not there,
 * gradient descent on the weights in floating point. Batch-norm is folded in beforehand and stays
 * so.
 *
 * <p>A batch is worked on in parts whose gradients add up to the batch's own, so that memory does
 * not depend on the batch size. One training runs at a time: it uses all threads, and the library
 * gathers gradients for one only.
 */
public final class StraightThroughTuner implements FineTuner {
  /** Reentrant: who took the turn trains in it. */
  private static final ReentrantLock TRAINING = new ReentrantLock(true);

  private static final Logger LOG = LoggerFactory.getLogger(StraightThroughTuner.class);

  /** Values of all tensors that the images of a part may have: 32 MiB as floats, held 2-4 times. */
  private static final long PART_VALUES = 1 << 23;

  /**
   * How often weight grids are fitted again. Whoever evaluates the outcome finds its grids anew,
   * and a threshold by KL divergence moves in jumps: weights trained for another grid would be
   * lost.
   */
  private static final int STEPS_BETWEEN_FITS = 8;

  /** A network whose loss has grown by more is not what was asked for. */
  private static final double MOST_GROWTH = 2;

  /** Share of the newest step in the reported loss and speed. */
  private static final double NEWEST = 0.1;

  private final int threads;

  /**
   * @param threads that compute, at least 1
   */
  public StraightThroughTuner(int threads) {
    this.threads = threads;
  }

  @Override
  public Tuned tune(Task task, Listener listener, BooleanSupplier cancelled) {
    check(task.graph()); // refused before waiting
    Turn turn = turn(cancelled);
    try (turn) {
      KeptMemory memory = KeptMemory.open();
      try (memory) {
        return new Training(task, listener, cancelled).run();
      }
    }
  }

  @Override
  public void check(CnnGraph graph) {
    NdUses.check(graph);
  }

  @Override
  public Turn turn(BooleanSupplier cancelled) {
    Waits.until(millis -> TRAINING.tryLock(millis, TimeUnit.MILLISECONDS), cancelled);
    return TRAINING::unlock;
  }

  /** Images worked on at once. */
  static int partSize(CnnGraph graph, int batchSize) {
    if (graph.fixedBatch()) {
      return 1;
    }
    long perImage =
        graph.shapes().values().stream()
            .mapToLong(
                shape -> shape.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b))
            .sum();
    return (int) Math.max(1, Math.min(batchSize, PART_VALUES / Math.max(1, perImage)));
  }

  /** The order in which an epoch visits the images: the same for a seed, whatever came before. */
  static int[] order(int images, long seed, int epoch) {
    return new CounterRandom(seed, epoch).permutation(images);
  }

  private final class Training {
    private final Engine engine = TrainingEngine.get(threads);
    private final Images images;
    private final FineTuning settings;
    private final Task task;
    private final Listener listener;
    private final BooleanSupplier cancelled;
    private final CnnGraph graph;
    private final int part;
    private final long stepsPerEpoch;
    private double firstLoss = Double.NaN;
    private double loss = Double.NaN;
    private double secondsPerImage = Double.NaN;

    Training(Task task, Listener listener, BooleanSupplier cancelled) {
      this.task = task;
      this.listener = listener;
      this.cancelled = cancelled;
      this.images = task.images();
      this.settings = task.settings();
      this.graph = task.graph();
      this.part = partSize(graph, settings.batchSize());
      this.stepsPerEpoch = ((long) images.size() + settings.batchSize() - 1) / settings.batchSize();
    }

    Tuned run() {
      try (NDManager manager = TrainingEngine.newManager(threads)) {
        TrainedNetwork network = new TrainedNetwork(task, manager);
        List<NDArray> parameters = network.parameters();
        Sgd descent = new Sgd(parameters, settings, manager);
        BestEpoch best = new BestEpoch(parameters);
        Checkpoint checkpoint =
            new Checkpoint(task.checkpoint(), parameters, descent.velocities(), best);
        Checkpoint.Reached reached = checkpoint.restore(manager);
        firstLoss = reached.first();
        loss = reached.latest();
        double seconds = reached.seconds();
        int epoch = reached.epochs();
        while (epoch < settings.epochs()) {
          long start = System.nanoTime();
          double mean = epoch(epoch, network, descent, manager);
          seconds += (System.nanoTime() - start) / 1e9;
          epoch++;
          if (diverges()) {
            LOG.warn("fine-tuning diverges in epoch {}: loss {} after {}", epoch, loss, firstLoss);
            break;
          }
          best.consider(mean);
          if (epoch < settings.epochs()) {
            checkpoint.save(new Checkpoint.Reached(epoch, seconds, firstLoss, loss));
          }
        }
        if (best.values().isEmpty()) {
          throw new HaqException(
              Reason.TRAINING_DIVERGES,
              "fine-tuning diverges at learning rate %s (loss %.3g at first, %.3g in the end): use a lower one"
                  .formatted(settings.learningRate(), firstLoss, loss));
        }
        best.restore();
        return new Tuned(network.tuned(), seconds, (double) images.size() * epoch / seconds);
      }
    }

    /**
     * Whether the network is no better than guessing, and far worse than it was: what follows is
     * not worth the time.
     */
    private boolean diverges() {
      return !(loss < Math.max(Math.log(graph.classes()), MOST_GROWTH * firstLoss));
    }

    /** Trains for an epoch, or until it diverges; answers the mean loss of its steps. */
    private double epoch(int epoch, TrainedNetwork network, Sgd descent, NDManager manager) {
      double sum = 0;
      int[] order = order(images.size(), settings.seed(), epoch);
      long steps = stepsPerEpoch * settings.epochs();
      for (int i = 0; i < stepsPerEpoch; i++) {
        Waits.throwIf(cancelled);
        if (i % STEPS_BETWEEN_FITS == 0) {
          network.refit();
        }
        long step = epoch * stepsPerEpoch + i;
        int from = i * settings.batchSize();
        int to = Math.min(images.size(), from + settings.batchSize());
        long start = System.nanoTime();
        double mean;
        try (NDManager stepManager = manager.newSubManager()) {
          mean =
              step(
                  Arrays.copyOfRange(order, from, to),
                  network,
                  descent,
                  Sgd.learningRate(settings, step, steps),
                  stepManager);
        }
        double secondsEach = (System.nanoTime() - start) / 1e9 / (to - from);
        sum += mean;
        firstLoss = Double.isNaN(firstLoss) ? mean : firstLoss;
        loss = Double.isFinite(mean) ? smoothed(loss, mean) : Double.NaN;
        if (!Double.isFinite(mean)) {
          return Double.NaN; // it stays so
        }
        secondsPerImage = smoothed(secondsPerImage, secondsEach);
        long imagesLeft = (long) images.size() * (settings.epochs() - epoch) - to;
        listener.step(
            new Progress(
                epoch + 1,
                settings.epochs(),
                step + 1,
                steps,
                loss,
                1 / secondsPerImage,
                imagesLeft * secondsPerImage));
      }
      return sum / stepsPerEpoch;
    }

    private static double smoothed(double known, double newest) {
      return Double.isNaN(known) ? newest : known + NEWEST * (newest - known);
    }

    /** One step of gradient descent; answers the mean cross-entropy of its images. */
    private double step(
        int[] batch, TrainedNetwork network, Sgd descent, double learningRate, NDManager manager) {
      double sum = 0;
      TrainedNetwork.Step step = network.new Step(manager);
      for (int from = 0; from < batch.length; from += part) {
        int[] chosen = Arrays.copyOfRange(batch, from, Math.min(batch.length, from + part));
        try (NDManager partManager = manager.newSubManager();
            GradientCollector gradients = engine.newGradientCollector()) {
          NDArray total = step.loss(input(chosen, partManager), targets(chosen, partManager));
          NDArray mean = Scalars.times(total, 1f / batch.length);
          gradients.backward(mean);
          sum += total.getFloat();
        }
      }
      if (Double.isFinite(sum)) {
        descent.step(step.gradients(), learningRate);
      }
      return sum / batch.length;
    }

    private NDArray input(int[] chosen, NDManager manager) {
      int values = graph.inputValues();
      float[] pixels = new float[chosen.length * values];
      for (int i = 0; i < chosen.length; i++) {
        images.read(chosen[i], pixels, i * values);
      }
      List<Integer> shape = graph.inputShape();
      return manager.create(
          pixels, new Shape(chosen.length, shape.get(0), shape.get(1), shape.get(2)));
    }

    private NDArray targets(int[] chosen, NDManager manager) {
      float[] targets = new float[chosen.length * graph.classes()];
      for (int i = 0; i < chosen.length; i++) {
        targets[i * graph.classes() + images.label(chosen[i])] = 1;
      }
      return manager.create(targets, new Shape(chosen.length, graph.classes()));
    }
  }
}
