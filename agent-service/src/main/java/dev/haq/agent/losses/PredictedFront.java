package dev.haq.agent.losses;

import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.ResourceBudget;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.Sensitivities;
import dev.haq.agent.search.SensitivityMeter;
import dev.haq.model.Policy;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What bits would do at every cost: the policies of least added-up loss that a {@link
 * DynamicProgram} finds, of which so many are kept as people can look at. A prediction: no policy
 * is evaluated, and losses of layers do not add up exactly.
 *
 * @param points cost ascending, divergence descending
 * @param slack no policy whose added-up divergence is as little as a point's costs less than the
 *     point by more than this, in the resource's unit
 */
public record PredictedFront(List<Point> points, double slack) {
  /**
   * A policy.
   *
   * @param cost in the resource's unit
   * @param divergence from the float model, nats: what each chosen width does by itself, added up;
   *     pinned widths, the same in all policies, do not count
   */
  public record Point(Policy policy, double cost, double divergence) {}

  public PredictedFront {
    points = List.copyOf(points);
  }

  /**
   * Measures sensitivities, then predicts; takes as long as the measuring and a fraction of a
   * second.
   *
   * @param space of one budget, whose limit bounds nothing here
   * @param most points that are kept, at least 2
   */
  public static PredictedFront measured(SearchSpace space, SensitivityMeter meter, int most) {
    Sensitivities sensitivities = meter.measure(space.decisions());
    return of(space, sensitivities.losses(Reward.KL_DIVERGENCE), most);
  }

  static PredictedFront of(SearchSpace space, DecisionLoss loss, int most) {
    ResourceBudget budget = space.settings().mainBudget();
    DynamicProgram program =
        DynamicProgram.weighted(space, loss, new double[] {1}, DynamicProgram.FINE);
    List<Point> points =
        spread(program, most)
            .mapToObj(
                point -> {
                  Policy policy = program.policy(point);
                  return new Point(policy, budget.cost(policy), program.loss(point));
                })
            .toList();
    return new PredictedFront(points, program.slack() * budget.budget().limit());
  }

  /**
   * The cheapest, the dearest, and of evenly spaced costs between them the point of least loss at
   * each; one where two costs have the same.
   */
  private static IntStream spread(DynamicProgram program, int most) {
    int last = program.size() - 1;
    if (last < most) {
      return IntStream.rangeClosed(0, last);
    }
    double cheapest = program.cost(0);
    double step = (program.cost(last) - cheapest) / (most - 1);
    return IntStream.range(0, most)
        .map(i -> i == most - 1 ? last : program.within(cheapest + i * step))
        .distinct();
  }
}
