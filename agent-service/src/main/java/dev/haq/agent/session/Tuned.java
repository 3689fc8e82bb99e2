package dev.haq.agent.session;

import dev.haq.model.Accuracy;
import java.util.Optional;

/**
 * A best policy's network after the final fine-tuning.
 *
 * @param episode whose policy it is
 * @param model id of the tuned model
 * @param before on the search images, as the episode found it
 * @param after on the search images
 * @param heldOut on images that neither search nor training saw; empty where none are held out
 * @param seconds wall time of training
 */
public record Tuned(
    int episode,
    String model,
    int epochs,
    Accuracy before,
    Accuracy after,
    Optional<HeldOut> heldOut,
    double seconds) {
  /** On the held-out images. */
  public record HeldOut(Accuracy before, Accuracy after) {}
}
