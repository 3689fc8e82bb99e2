package dev.haq.agent.comparison;

import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Fleet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * What sessions' best policies cost on one another's targets (paper, 4.4, table 5).
 *
 * @param rows a policy each: of each target, then of the fleets
 */
public record Transfer(List<Row> rows) {
  /**
   * @param target name of the session's target that the policy is best on, or {@link Fleet#NAME}
   * @param cells one a target, in the order of the targets' rows; empty where the target lacks one
   *     of the policy's widths, which it does not on its own
   */
  public record Row(String sessionId, String target, Episode best, List<Optional<Cell>> cells) {
    /** The largest over the targets that can run the policy. */
    public double maxRegret() {
      return cells.stream().flatMap(Optional::stream).mapToDouble(Cell::regret).max().orElseThrow();
    }

    boolean runsEverywhere() {
      return cells.stream().allMatch(Optional::isPresent);
    }

    boolean isWithinBudgets() {
      return cells.stream().allMatch(cell -> cell.filter(Cell::withinBudget).isPresent());
    }
  }

  /**
   * @param cost in the unit of the column's main resource
   * @param ratio cost over the column's reference cost
   * @param regret cost over that of the column's own policy, minus 1: of cost, not of accuracy
   * @param withinBudget whether it meets all budgets of the column
   */
  public record Cell(double cost, double ratio, double regret, boolean withinBudget) {}

  /**
   * Of the rows that every target can run, the one whose largest regret is least, whether it is
   * within budgets or not; empty where there is none.
   */
  public OptionalInt minMaxRegret() {
    return leastMaxRegret(Row::runsEverywhere);
  }

  /** The same of the rows that are within all budgets of all targets. */
  public OptionalInt minMaxRegretWithinBudgets() {
    return leastMaxRegret(Row::isWithinBudgets);
  }

  /** The first of equals. */
  private OptionalInt leastMaxRegret(Predicate<Row> among) {
    return IntStream.range(0, rows.size())
        .filter(i -> among.test(rows.get(i)))
        .boxed()
        .min(Comparator.comparingDouble(i -> rows.get(i).maxRegret()))
        .map(OptionalInt::of)
        .orElse(OptionalInt.empty());
  }
}
