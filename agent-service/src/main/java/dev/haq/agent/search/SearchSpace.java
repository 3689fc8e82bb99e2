package dev.haq.agent.search;

import dev.haq.model.BitWidth;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Where a search may go: the decisions of an episode, what is seen before each, and the budget that
 * the policies have to meet.
 */
public final class SearchSpace {
  private final SearchSettings settings;
  private final Decisions decisions;
  private final ObservationSpace observations;
  private final BudgetFitter budget;

  /**
   * @throws dev.haq.model.HaqException when the settings ask for widths that a cost table lacks,
   *     leave nothing to search, or the budgets cannot be met
   */
  public SearchSpace(SearchSettings settings) {
    this.settings = settings;
    decisions = new Decisions(settings);
    observations = new ObservationSpace(settings.network());
    budget = new BudgetFitter(decisions, settings.budgets());
    budget.checkFeasible();
  }

  public SearchSettings settings() {
    return settings;
  }

  public Decisions decisions() {
    return decisions;
  }

  public BudgetFitter budget() {
    return budget;
  }

  /** One step for each decision; each sees the action before. */
  public List<Transition> walk(ToDoubleFunction<Observation> actor) {
    List<Transition> steps = new ArrayList<>();
    double action = ObservationSpace.FIRST_PREVIOUS_ACTION;
    for (int step = 0; step < decisions.size(); step++) {
      Observation observation = observations.observe(decisions.get(step), action);
      action = actor.applyAsDouble(observation);
      steps.add(new Transition(observation, action));
    }
    return steps;
  }

  /** The steps of an episode that takes these actions, one a decision. */
  public List<Transition> steps(List<Double> actions) {
    int[] step = new int[1];
    return walk(observation -> actions.get(step[0]++));
  }

  /**
   * Whether a search may come to these widths, at whatever cost: those that are pinned or may be
   * chosen. Where only size is limited, activations may have any width: float is the best they can
   * be.
   */
  public boolean canReach(Policy policy) {
    return decisions.canReach(settings.weightsOnly() ? withFloatActivations(policy) : policy);
  }

  /** Whether a policy counts here, whoever proposed it. */
  public boolean admits(Policy policy) {
    return canReach(policy) && budget.isMetBy(policy);
  }

  private static Policy withFloatActivations(Policy policy) {
    return new Policy(
        policy.layers().stream()
            .map(bits -> bits.with(Operand.ACTIVATIONS, BitWidth.FLOAT))
            .toList());
  }

  /** The policy that these actions come to within the budget. */
  public Policy policy(List<Double> actions) {
    return budget.fit(decisions.policy(actions));
  }
}
