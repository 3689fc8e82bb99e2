package dev.haq.hwsim.cost;

import dev.haq.model.Cost;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.Map;
import java.util.function.DoubleFunction;

/**
 * The smallest value of one figure with which a policy meets a latency, by bisection: latency must
 * not rise with the figure.
 *
 * @param value meets the latency; the next smaller one looked at does not
 * @param cost of the policy with it
 * @param simulations made on the way
 */
public record SmallestParameter(double value, Cost cost, int simulations) {
  private static final double PRECISION = 1e-6;
  private static final int MAX_STEPS = 100;

  /**
   * @param key of the figure, for messages
   * @param whole whether only whole numbers are looked at
   * @param costWith the policy's cost when the figure has this value
   * @throws HaqException BUDGET_INFEASIBLE when not even {@code highest} meets the latency
   */
  public static SmallestParameter find(
      String key,
      double lowest,
      double highest,
      boolean whole,
      double latencySeconds,
      DoubleFunction<Cost> costWith) {
    if (!(lowest > 0 && lowest <= highest) || Double.isInfinite(highest)) {
      throw HaqException.invalid(
          "lowest %s and highest %s: both must be above 0, finite, and in this order",
          lowest, highest);
    }
    if (!(latencySeconds > 0) || Double.isInfinite(latencySeconds)) {
      throw HaqException.invalid(
          "latency_seconds is %s: give seconds, above 0 and finite", latencySeconds);
    }
    double fails = whole ? Math.ceil(lowest) : lowest;
    double meets = whole ? Math.floor(highest) : highest;
    if (fails > meets) {
      throw HaqException.invalid(
          "%s takes whole numbers, and there is none from lowest %s to highest %s",
          key, lowest, highest);
    }
    Cost best = costWith.apply(meets);
    if (best.latencySeconds() > latencySeconds) {
      throw new HaqException(
          Reason.BUDGET_INFEASIBLE,
          "with %s at %s the policy still takes %s s, more than %s s: raise highest, or use fewer bits"
              .formatted(key, meets, best.latencySeconds(), latencySeconds),
          Map.of("smallest_reachable", Double.toString(best.latencySeconds())),
          null);
    }
    int simulations = 2;
    Cost least = costWith.apply(fails);
    if (least.latencySeconds() <= latencySeconds) {
      return new SmallestParameter(fails, least, simulations);
    }
    while (simulations < MAX_STEPS && meets - fails > (whole ? 1 : PRECISION * meets)) {
      double middle = whole ? Math.floor((fails + meets) / 2) : (fails + meets) / 2;
      Cost cost = costWith.apply(middle);
      simulations++;
      if (cost.latencySeconds() <= latencySeconds) {
        meets = middle;
        best = cost;
      } else {
        fails = middle;
      }
    }
    return new SmallestParameter(meets, best, simulations);
  }
}
