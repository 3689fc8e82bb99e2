package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import dev.haq.model.FineTuning;
import java.util.ArrayList;
import java.util.List;

/**
 * Stochastic gradient descent with momentum and weight decay: v = m * v + g + d * w, w = w - r * v
 * (Sutskever et al. 2013; HAQ paper, 3.5: m = 0.9, r fixed).
 */
final class Sgd {
  private final List<NDArray> parameters;
  private final List<NDArray> velocities = new ArrayList<>();
  private final float momentum;
  private final float weightDecay;

  /**
   * @param parameters changed in place
   * @param manager owns the velocities
   */
  Sgd(List<NDArray> parameters, FineTuning settings, NDManager manager) {
    this.parameters = List.copyOf(parameters);
    this.momentum = (float) settings.momentum();
    this.weightDecay = (float) settings.weightDecay();
    for (NDArray parameter : parameters) {
      NDArray velocity = parameter.zerosLike();
      velocity.attach(manager);
      velocities.add(velocity);
    }
  }

  /**
   * One step.
   *
   * @param gradients in the order of the parameters
   */
  void step(List<NDArray> gradients, double learningRate) {
    for (int i = 0; i < parameters.size(); i++) {
      NDArray parameter = parameters.get(i);
      NDArray velocity = velocities.get(i);
      velocity.muli(momentum).addi(gradients.get(i));
      if (weightDecay > 0) {
        try (NDArray decay = parameter.mul(weightDecay)) {
          velocity.addi(decay);
        }
      }
      try (NDArray change = velocity.mul(learningRate)) {
        parameter.subi(change);
      }
    }
  }

  /** The velocities, in the order of the parameters; changed in place when a checkpoint is read. */
  List<NDArray> velocities() {
    return velocities;
  }

  /**
   * The learning rate of a step.
   *
   * @param step 0 to steps - 1
   */
  static double learningRate(FineTuning settings, long step, long steps) {
    return switch (settings.schedule()) {
      case CONSTANT -> settings.learningRate();
      case COSINE -> settings.learningRate() * 0.5 * (1 + Math.cos(Math.PI * step / steps));
    };
  }
}
