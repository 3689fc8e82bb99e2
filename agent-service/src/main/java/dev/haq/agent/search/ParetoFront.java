package dev.haq.agent.search;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The episodes that no other beats in both worth and cost; worth is what the caller says, such as
 * the reward or the accuracy. Grows an episode at a time, in time that depends on the front's
 * length alone.
 */
public final class ParetoFront {
  private final TreeMap<Double, Point> byCost = new TreeMap<>(); // worth rises with cost

  private record Point(double worth, int episode) {}

  /**
   * Takes an episode in, unless one before costs no more and is worth as much.
   *
   * @param episode its number
   */
  public void add(int episode, double cost, double worth) {
    Map.Entry<Double, Point> cheaper = byCost.floorEntry(cost);
    if (cheaper != null && cheaper.getValue().worth() >= worth) {
      return;
    }
    byCost.tailMap(cost, true).values().removeIf(other -> other.worth() <= worth);
    byCost.put(cost, new Point(worth, episode));
  }

  /** Their numbers, cheapest first; the worth rises from each to the next. */
  public List<Integer> episodes() {
    return byCost.values().stream().map(Point::episode).toList();
  }
}
