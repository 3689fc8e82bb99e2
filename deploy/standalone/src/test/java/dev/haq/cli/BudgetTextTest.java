package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import org.junit.jupiter.api.Test;

class BudgetTextTest {
  @Test
  void aPlainNumberIsARatioOfLatency() {
    assertEquals(Budget.ratio(Resource.LATENCY, 0.6), BudgetText.parse("0.6", null));
    assertEquals(Budget.ratio(Resource.ENERGY, 0.6), BudgetText.parse("60%", Resource.ENERGY));
  }

  @Test
  void aUnitSaysWhichResourceIsMeant() {
    assertEquals(Budget.absolute(Resource.LATENCY, 12 * 1e-3), BudgetText.parse("12ms", null));
    assertEquals(Budget.absolute(Resource.ENERGY, 3 * 1e-3), BudgetText.parse("3 mJ", null));
    assertEquals(Budget.absolute(Resource.MODEL_SIZE, 1.5e6), BudgetText.parse("1.5MB", null));
    assertEquals(
        Budget.absolute(Resource.MODEL_SIZE, 2 * 1024 * 1024),
        BudgetText.parse("2MiB", Resource.MODEL_SIZE));
  }

  @Test
  void aUnitOfAnotherResourceIsRefused() {
    assertRefused("12ms", Resource.ENERGY, "ms is not a unit of energy");
  }

  @Test
  void aRatioAboveOneProbablyLacksItsUnit() {
    assertRefused("12", null, "add a unit");
  }

  @Test
  void nonsenseIsRefused() {
    assertRefused("fast", null, "give a ratio");
    assertRefused("3 parsec", null, "no unit 'parsec'");
    assertRefused("0", null, "above 0");
  }

  private static void assertRefused(String text, Resource resource, String expected) {
    HaqException e = assertThrows(HaqException.class, () -> BudgetText.parse(text, resource));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }
}
