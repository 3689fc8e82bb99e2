package dev.haq.agent.session;

/**
 * How far the final fine-tuning is.
 *
 * @param epoch 1..epochs
 * @param step of gradient descent, 1..steps
 * @param loss mean cross-entropy of the latest steps, in nats
 */
public record TuningProgress(
    int epoch,
    int epochs,
    long step,
    long steps,
    double loss,
    double imagesPerSecond,
    double secondsLeft) {}
