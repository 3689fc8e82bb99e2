package dev.haq.agent.losses;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.DecisionLoss;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.BitChoices;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import org.junit.jupiter.api.Test;

class ExchangeTest {
  @Test
  void whatAStepSavesOfABudgetThatIsMetIsWorthNothing() {
    // Of layer 2 a step saves ten times the energy. One is enough for energy, which every step
    // saves; after it layer 1 saves as much latency for half the loss.
    SeveralBudgets costs =
        SeveralBudgets.of(
            new SyntheticProblem(1, 1).network(),
            (layer, weights, activations) -> weights,
            (layer, weights, activations) -> layer == 2 ? 10 * weights : weights);
    DecisionLoss loss =
        (decision, width) ->
            decision.operand() == Operand.ACTIVATIONS
                ? 0
                : (8 - width.bits()) * (decision.layer() == 1 ? 1 : 2);
    SearchSpace space = costs.space(BitChoices.PAPER, 8 / 12.0, 57 / 66.0); // 12 and 66 to save
    assertEquals(2, space.budget().binding().size());
    Policy found = new Exchange(space, loss).descended();
    assertTrue(space.budget().isMetBy(found));
    assertEquals(5, found.get(1).weights().bits());
    assertEquals(7, found.get(2).weights().bits());
  }

  @Test
  void aWidthThatCostsMoreThanTheNextWiderOneIsSteppedOver() {
    // Native at 8 and 4 bits, what lies between is unpacked at a price.
    SeveralBudgets costs =
        SeveralBudgets.of(
            new SyntheticProblem(1, 1).network(),
            (layer, weights, activations) -> weights > 4 && weights < 8 ? 10 : weights,
            (layer, weights, activations) -> 1);
    DecisionLoss loss =
        (decision, width) ->
            decision.operand() == Operand.ACTIVATIONS
                ? 0
                : (8 - width.bits()) * (decision.layer() == 1 ? 1 : 2);
    SearchSpace space = costs.within(BitChoices.PAPER, 8 + 4 + 8 + 8); // one of two layers at 4
    Policy found = new Exchange(space, loss).descended();
    assertEquals(4, found.get(1).weights().bits());
    assertEquals(8, found.get(2).weights().bits());
  }
}
