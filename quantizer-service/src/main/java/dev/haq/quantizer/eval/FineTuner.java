package dev.haq.quantizer.eval;

import dev.haq.model.FineTuning;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.quant.LinearQuantizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/**
 * Trains a quantized network (HAQ paper, 3.5). A port: evaluation knows nothing of the library that
 * does it.
 */
public interface FineTuner {
  /**
   * Trains; blocks until done, and answers the network of the epoch with the least loss. The same
   * task on the same machine gives the same network.
   *
   * @param cancelled asked after every step whether nobody waits for the network any more
   * @throws dev.haq.model.HaqException UNSUPPORTED_OPERATOR naming an operator that cannot be
   *     trained; TRAINING_DIVERGES where no epoch ends well; CANCELLED
   */
  Tuned tune(Task task, Listener listener, BooleanSupplier cancelled);

  /** The right to train, given back by the thread that took it. */
  interface Turn extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Waits until nothing else is trained and keeps it so: {@link #tune} does not wait on the thread
   * that has the turn. For callers that hold something while they train which nobody should have to
   * wait for while they only wait.
   *
   * @throws dev.haq.model.HaqException CANCELLED
   */
  default Turn turn(BooleanSupplier cancelled) {
    return () -> {};
  }

  /**
   * Refuses at once what {@link #tune} would.
   *
   * @throws dev.haq.model.HaqException UNSUPPORTED_OPERATOR naming an operator that cannot be
   *     trained
   */
  default void check(CnnGraph graph) {}

  /**
   * What is to be done.
   *
   * @param layers how each layer is quantized, in the network's order
   * @param images to learn from
   * @param checkpoint where each epoch's end is kept, and found again; empty keeps none
   */
  record Task(
      CnnGraph graph,
      List<QuantizedLayer> layers,
      Images images,
      FineTuning settings,
      Optional<Path> checkpoint) {
    public Task {
      layers = List.copyOf(layers);
    }
  }

  /**
   * How a layer is quantized.
   *
   * @param activations of its input; empty for floating point
   */
  record QuantizedLayer(Optional<LinearQuantizer> activations, Weights weights) {}

  /** How a layer's weights are quantized. */
  sealed interface Weights {
    /** Left in floating point. */
    record Real() implements Weights {}

    /**
     * On a linear grid around zero.
     *
     * @param levels how many magnitudes other than zero there are
     * @param scales the scale of each output for given weights; asked again when they have moved
     */
    record Grid(int levels, UnaryOperator<float[]> scales) implements Weights {}

    /**
     * A few values that weights share.
     *
     * @param assignment which of the values each weight has
     */
    record Shared(float[] centroids, int[] assignment) implements Weights {}
  }

  /**
   * The outcome.
   *
   * @param graph the network with its tuned weights, in floating point
   * @param seconds wall time of training, of earlier runs that were interrupted too
   */
  record Tuned(CnnGraph graph, double seconds, double imagesPerSecond) {}

  /**
   * How far training is.
   *
   * @param epoch 1..epochs
   * @param loss mean cross-entropy of the latest steps, in nats
   */
  record Progress(
      int epoch,
      int epochs,
      long step,
      long steps,
      double loss,
      double imagesPerSecond,
      double secondsLeft) {}

  /** Is told after every step. */
  interface Listener {
    void step(Progress progress);
  }
}
