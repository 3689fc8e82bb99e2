package dev.haq.model;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a hardware target and an agent need to know of a model: its quantizable layers, in execution
 * order.
 *
 * @param modelId {@code sha256:...} of the model's bytes, or empty for a network given as a list of
 *     layers
 * @param name for people
 * @param layers at least one, names unique
 * @param otherParameters parameters outside the quantizable layers, kept as 32-bit float
 */
public record Network(String modelId, String name, List<Layer> layers, long otherParameters) {
  public Network {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new HaqException(
          Reason.NO_QUANTIZABLE_LAYERS,
          "network "
              + name
              + " has no quantizable layer: it needs a convolution or a fully connected layer"
              + " with constant weights");
    }
    Set<String> seen = new HashSet<>();
    for (Layer layer : layers) {
      if (!seen.add(layer.name())) {
        throw HaqException.invalid(
            "network %s has two layers named %s: layer names must differ", name, layer.name());
      }
    }
  }

  public int size() {
    return layers.size();
  }

  public Layer layer(int index) {
    return layers.get(index);
  }

  /** Multiply-accumulate operations of all quantizable layers, for one image. */
  public long macs() {
    return layers.stream().mapToLong(Layer::macs).sum();
  }

  public long weights() {
    return layers.stream().mapToLong(Layer::weights).sum();
  }
}
