package dev.haq.agent.agents;

import dev.haq.agent.losses.BudgetedProgram;
import dev.haq.agent.losses.DynamicProgram;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.Sensitivities;
import dev.haq.model.Policy;
import java.util.List;

/**
 * Proposes what a dynamic program finds with measured sensitivities: the policy of least added-up
 * divergence from the float model within the budget, then the next cheaper ones, one an episode.
 */
final class DynamicProgramAgent extends PolicyAgent {
  private final BudgetedProgram.Front front;

  DynamicProgramAgent(SearchSpace space, Sensitivities sensitivities) {
    super(space);
    front =
        BudgetedProgram.of(space, sensitivities.losses(Reward.KL_DIVERGENCE), DynamicProgram.FINE)
            .front();
  }

  @Override
  Policy propose(int number, List<Policy> underWay) {
    return front.policy((number - 1) % front.size());
  }
}
