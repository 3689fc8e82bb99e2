package dev.haq.agent.comparison;

import dev.haq.agent.session.SessionSpec;
import dev.haq.model.HaqException;

/**
 * What a predicted front is of.
 *
 * @param search the model, images, target, recipe and widths, as a session would have them. Its
 *     main budget names the resource that costs are of; its limit, agent and episodes mean nothing
 *     here
 * @param maxPoints 2..{@value #MOST_POINTS}
 */
public record FrontSpec(SessionSpec search, int maxPoints) {
  /** As many as a plot shows apart. */
  public static final int DEFAULT_POINTS = 50;

  private static final int MOST_POINTS = 1000;

  public FrontSpec {
    if (maxPoints < 2 || maxPoints > MOST_POINTS) {
      throw HaqException.invalid(
          "max_points is %d: use 2 to %d, or 0 for %d", maxPoints, MOST_POINTS, DEFAULT_POINTS);
    }
  }
}
