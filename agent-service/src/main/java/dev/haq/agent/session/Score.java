package dev.haq.agent.session;

import dev.haq.model.Resource;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What fronts are made of: an episode of the log without its policy and all the rest.
 *
 * @param number the episode's
 * @param top1 accuracy on the search images, percentage points
 * @param costs on every target of the session, each of the resources that are modelled there; none
 *     where a target cannot run the policy
 */
public record Score(int number, double reward, double top1, List<Map<Resource, Double>> costs) {
  public Score {
    costs = List.copyOf(costs);
  }

  /** A policy that only its size was asked of, or a table of energies, has no latency. */
  public static Map<Resource, Double> costs(
      double latencySeconds, OptionalDouble energyJoules, double modelSizeBytes) {
    Map<Resource, Double> costs = new EnumMap<>(Resource.class);
    if (latencySeconds > 0) {
      costs.put(Resource.LATENCY, latencySeconds);
    }
    energyJoules.ifPresent(joules -> costs.put(Resource.ENERGY, joules));
    costs.put(Resource.MODEL_SIZE, modelSizeBytes);
    return costs;
  }
}
