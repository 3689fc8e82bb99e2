package dev.haq.agent.search;

import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The episodes that no other beats in both reward and cost of a resource. Grows an episode at a
 * time, in time that depends on the front's length alone.
 */
public final class ParetoFront {
  private final int target;
  private final Resource resource;
  private final TreeMap<Double, Episode> byCost = new TreeMap<>(); // rewards rise with cost

  /** On the session's first target. */
  public ParetoFront(Resource resource) {
    this(0, resource);
  }

  /**
   * @param target index among the session's
   */
  public ParetoFront(int target, Resource resource) {
    this.target = target;
    this.resource = resource;
  }

  /**
   * Takes an episode in, unless one before costs no more and is worth as much.
   *
   * @param episode whose policy the target can run
   */
  public void add(Episode episode) {
    double cost = episode.result().costs().get(target).orElseThrow().cost().of(resource);
    double reward = episode.result().reward();
    Map.Entry<Double, Episode> cheaper = byCost.floorEntry(cost);
    if (cheaper != null && cheaper.getValue().result().reward() >= reward) {
      return;
    }
    Collection<Episode> dearer = byCost.tailMap(cost, true).values();
    dearer.removeIf(other -> other.result().reward() <= reward);
    byCost.put(cost, episode);
  }

  /** Cheapest first; the reward rises from each to the next. */
  public List<Episode> episodes() {
    return new ArrayList<>(byCost.values());
  }
}
