package dev.haq.agent.search;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The episodes that no other beats in both reward and cost. Grows an episode at a time, in time
 * that depends on the front's length alone.
 */
public final class ParetoFront {
  private final TreeMap<Double, Point> byCost = new TreeMap<>(); // rewards rise with cost

  private record Point(double reward, int episode) {}

  /**
   * Takes an episode in, unless one before costs no more and is worth as much.
   *
   * @param episode its number
   */
  public void add(int episode, double cost, double reward) {
    Map.Entry<Double, Point> cheaper = byCost.floorEntry(cost);
    if (cheaper != null && cheaper.getValue().reward() >= reward) {
      return;
    }
    byCost.tailMap(cost, true).values().removeIf(other -> other.reward() <= reward);
    byCost.put(cost, new Point(reward, episode));
  }

  /** Their numbers, cheapest first; the reward rises from each to the next. */
  public List<Integer> episodes() {
    return byCost.values().stream().map(Point::episode).toList();
  }
}
