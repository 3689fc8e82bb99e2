package dev.haq.agent.session;

import dev.haq.agent.search.AccuracyEvaluator;
import dev.haq.agent.search.HardwareCosts;
import dev.haq.agent.search.SensitivityMeter;
import dev.haq.model.Accuracy;
import dev.haq.model.Network;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The services that one session works with, for its model and images, and targets. Port. Its calls
 * block; a service that is away for a moment is waited for.
 */
public interface Backend extends AutoCloseable {
  /** How a backend for a session is got. */
  interface Factory {
    /**
     * @param patient whether calls wait for a service that is away, or fail at once
     */
    Backend open(SessionSpec spec, boolean patient);
  }

  /** The model's quantizable layers; asked for once. */
  Network network();

  /**
   * Refuses images that do not exist or do not fit the model, having looked at their classes and at
   * one of them; and, where anything is to be trained, a model that cannot be.
   *
   * @param network the model's, as {@link #network} answered
   * @throws dev.haq.model.HaqException that says what is wrong
   */
  void checkData(Network network);

  /** Of one of the session's targets. */
  HardwareCosts costs(Network network, TargetHandle target);

  /**
   * @param baseline the float model's accuracy where it is known already
   */
  AccuracyEvaluator evaluator(Network network, Optional<Accuracy> baseline);

  /**
   * Trains the network of the session's best policy; blocks until done. What an earlier call has
   * trained is not trained again.
   *
   * @param best the episode that found the policy
   * @param listener is told now and then
   * @throws dev.haq.model.HaqException that says why it cannot be trained
   */
  Tuned tune(Network network, Episode best, Consumer<TuningProgress> listener);

  /**
   * What each width does by itself, for agents that build on it.
   *
   * @param progress told after each measurement
   */
  SensitivityMeter sensitivities(Network network, Consumer<Preparation> progress);

  /**
   * Ends the call under way and refuses further ones, with CANCELLED. May be called by any thread.
   */
  void abort();

  @Override
  void close();
}
