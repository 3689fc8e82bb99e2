package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import java.util.Set;

/**
 * What one hardware target makes of a layer, for one batch of {@link #batch} images.
 * Implementations are immutable and safe for use by many threads.
 *
 * <p>Model size is the same on every target ({@link ModelSize}) and no business of a cost model.
 */
public interface CostModel {
  /** The target's name, for messages. */
  String name();

  /** Which of latency and energy are modelled. */
  Set<Resource> resources();

  BitChoices weightBits();

  BitChoices activationBits();

  /** Images in a batch. */
  int batch();

  /** Whether latency also comes in clock cycles. */
  boolean clocked();

  /**
   * Refuses a network this target has no costs for.
   *
   * @throws HaqException naming the layer
   */
  void check(Network network);

  /** What the cost depends on: layers with equal geometry cost the same at the same bits. */
  Object geometry(Network network, int layer);

  /**
   * The cost of one layer of a network that passed {@link #check}.
   *
   * @param weights one of {@link #weightBits}
   * @param activations one of {@link #activationBits}
   */
  RunCost run(Network network, int layer, BitWidth weights, BitWidth activations);

  /** Which figures are missing for a resource that is not modelled; one clause for a message. */
  String missing(Resource resource);

  /**
   * Refuses a resource that neither this model nor {@link ModelSize} covers.
   *
   * @throws HaqException RESOURCE_NOT_MODELLED
   */
  default void requireModelled(Resource resource) {
    if (resource != Resource.MODEL_SIZE && !resources().contains(resource)) {
      throw new HaqException(
          Reason.RESOURCE_NOT_MODELLED,
          "target %s has no model of %s: %s; use one of %s and MODEL_SIZE, or another target"
              .formatted(name(), resource, missing(resource), resources()));
    }
  }

  /**
   * Refuses bits that the target does not have.
   *
   * @throws HaqException INVALID_BITS naming the layer
   */
  default void checkBits(Layer layer, LayerBits bits) {
    if (!weightBits().contains(bits.weights()) || !activationBits().contains(bits.activations())) {
      throw new HaqException(
          Reason.INVALID_BITS,
          "layer %s at %s: target %s takes weights of %s and activations of %s bits%s"
              .formatted(
                  layer.name(),
                  bits,
                  name(),
                  weightBits(),
                  activationBits(),
                  bits.weights().isFloat() || bits.activations().isFloat()
                      ? "; a float layer is allowed when MODEL_SIZE alone is asked for"
                      : ""));
    }
  }

  /**
   * Refuses a layer whose counts a model cannot hold.
   *
   * @param macs multiply-accumulate operations of the layer, for one batch
   * @param limit how many the model takes
   * @throws HaqException TOO_LARGE naming the layer
   */
  default void checkBatchMacs(Layer layer, double macs, double limit) {
    if (macs > limit) {
      throw new HaqException(
          Reason.TOO_LARGE,
          "layer %s: %.3g multiply-accumulate operations a batch of %d, but at most %.0e can be simulated: give a smaller layer or batch"
              .formatted(layer.name(), macs, batch(), limit));
    }
  }
}
