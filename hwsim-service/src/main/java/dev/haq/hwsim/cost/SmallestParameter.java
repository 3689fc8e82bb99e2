package dev.haq.hwsim.cost;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Map;
import java.util.function.DoubleFunction;

/**
 * The smallest value of one figure with which a policy meets a latency, by bisection: latency must
 * not rise with the figure.
 *
 * @param value meets the latency; the next smaller one looked at does not
 * @param simulation of the policy with it
 * @param simulations made on the way
 */
public record SmallestParameter(double value, Simulation simulation, int simulations) {
  private static final double PRECISION = 1e-6;
  private static final int MAX_STEPS = 100;

  /**
   * @param key of the figure, for messages
   * @param whole whether only whole numbers are looked at
   * @param with the policy simulated when the figure has this value
   * @throws HaqException BUDGET_INFEASIBLE when not even {@code highest} meets the latency
   */
  public static SmallestParameter find(
      String key,
      double lowest,
      double highest,
      boolean whole,
      double latencySeconds,
      DoubleFunction<Simulation> with) {
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
    Simulation best = with.apply(meets);
    if (latency(best) > latencySeconds) {
      throw new HaqException(
          Reason.BUDGET_INFEASIBLE,
          "with %s at %s the policy still takes %s, more than %s: allow higher values, or use fewer bits"
              .formatted(
                  key,
                  BigDecimal.valueOf(meets).stripTrailingZeros().toPlainString(),
                  time(latency(best), RoundingMode.UP), // else it might read as what was asked for
                  time(latencySeconds, RoundingMode.HALF_UP)),
          Map.of("smallest_reachable", Double.toString(latency(best))),
          null);
    }
    int simulations = 2;
    Simulation least = with.apply(fails);
    if (latency(least) <= latencySeconds) {
      return new SmallestParameter(fails, least, simulations);
    }
    while (simulations < MAX_STEPS && meets - fails > (whole ? 1 : PRECISION * meets)) {
      double middle = whole ? Math.floor((fails + meets) / 2) : (fails + meets) / 2;
      Simulation tried = with.apply(middle);
      simulations++;
      if (latency(tried) <= latencySeconds) {
        meets = middle;
        best = tried;
      } else {
        fails = middle;
      }
    }
    return new SmallestParameter(meets, best, simulations);
  }

  /** Four digits, in the unit that suits. */
  private static String time(double seconds, RoundingMode rounding) {
    if (!(seconds < 1e9)) {
      return seconds + " s";
    }
    double scale = seconds >= 1 ? 1 : seconds >= 1e-3 ? 1e3 : 1e6;
    return BigDecimal.valueOf(seconds * scale)
            .round(new MathContext(4, rounding))
            .stripTrailingZeros()
            .toPlainString()
        + (seconds >= 1 ? " s" : seconds >= 1e-3 ? " ms" : " us");
  }

  private static double latency(Simulation simulation) {
    return simulation.total().latencySeconds();
  }
}
