package dev.haq.agent.session;

import dev.haq.agent.search.Episode;
import java.util.List;

/**
 * What sessions' best policies cost on one another's targets (paper, 4.4, table 5).
 *
 * @param rows a policy each
 * @param minMaxRegret index of the row whose largest regret is least
 */
public record Transfer(List<Row> rows, int minMaxRegret) {
  /**
   * @param target name of the session's target that the policy is best on
   * @param cells one a row, in the order of the rows
   */
  public record Row(String sessionId, String target, Episode best, List<Cell> cells) {
    /** The largest over all targets. */
    public double maxRegret() {
      return cells.stream().mapToDouble(Cell::regret).max().orElseThrow();
    }
  }

  /**
   * @param cost in the unit of the column's resource
   * @param ratio cost over the column's reference cost
   * @param regret cost over that of the column's own policy, minus 1
   * @param withinBudget whether it meets the column's main budget
   */
  public record Cell(double cost, double ratio, double regret, boolean withinBudget) {}
}
