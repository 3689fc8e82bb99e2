package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.agent.v1.FurtherTarget;
import java.util.List;
import org.junit.jupiter.api.Test;

class FurtherTargetOptionsTest {
  private static final Budget RATIO = Budget.ratio(Resource.LATENCY, 0.6);
  private static final Budget AMOUNT = Budget.absolute(Resource.LATENCY, 0.01);
  private static final Budget ENERGY = Budget.ratio(Resource.ENERGY, 0.7);
  private static final Budget SIZE = Budget.absolute(Resource.MODEL_SIZE, 1e6);

  @Test
  void aNameAloneTakesTheBudgetsOfTheSession() {
    FurtherTarget target =
        FurtherTargetOptions.parse("bitfusion", new TableOptions(), List.of(AMOUNT));
    assertEquals("bitfusion", target.getTarget().getName());
    assertEquals(0, target.getBudgetsCount());
  }

  @Test
  void aLimitTakesThePlaceOfTheFirstBudget() {
    assertEquals(
        List.of(Budget.ratio(Resource.LATENCY, 0.5), ENERGY),
        limits("bitfusion=0.5", List.of(RATIO, ENERGY)));
    assertEquals(
        List.of(Budget.absolute(Resource.LATENCY, 5e-3), SIZE),
        limits("bitfusion=5ms", List.of(AMOUNT, SIZE)));
    assertEquals(List.of(RATIO, ENERGY), limits("x=energy=70%", List.of(RATIO)));
    assertEquals(
        List.of(Budget.ratio(Resource.LATENCY, 0.4), Budget.absolute(Resource.ENERGY, 2e-3)),
        limits("x=0.4,2mJ", List.of(AMOUNT, ENERGY)));
  }

  @Test
  void anAmountOnAnotherTargetMeansNothingHere() {
    HaqException e =
        assertThrows(
            HaqException.class, () -> limits("bitfusion=energy=0.5", List.of(AMOUNT, ENERGY)));
    assertEquals(
        "--further-target bitfusion: the limit of LATENCY is an amount on --target: give bitfusion one of its own",
        e.getMessage());
  }

  private static List<Budget> limits(String text, List<Budget> budgets) {
    return FurtherTargetOptions.parse(text, new TableOptions(), budgets).getBudgetsList().stream()
        .map(dev.haq.wire.CostWire::fromProto)
        .toList();
  }
}
