package dev.haq.agent.baseline;

import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.Sensitivities;
import dev.haq.model.Policy;

/**
 * Proposes what a dynamic program finds with measured sensitivities: the policy of least added-up
 * divergence from the float model within the budget, then the next cheaper ones, one an episode.
 */
final class DynamicProgramAgent extends PolicyAgent {
  private final BudgetedProgram.Front front;

  DynamicProgramAgent(SearchSpace space, Sensitivities sensitivities) {
    super(space);
    front =
        BudgetedProgram.of(
                space,
                (decision, width) -> sensitivities.loss(Reward.KL_DIVERGENCE, decision, width),
                DynamicProgram.FINE)
            .front();
  }

  @Override
  Policy propose(int number) {
    return front.policy((number - 1) % front.size());
  }
}
