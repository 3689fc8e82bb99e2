package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DecisionsTest {
  private static final Network THREE =
      new Network("", "three", List.of(linear("a"), linear("b"), linear("c")), 0);

  @Test
  void theFirstAndLastLayerKeepEightBits() {
    Decisions decisions = decisions(THREE, Resource.LATENCY, Pinning.FIRST_AND_LAST);
    assertEquals(
        List.of(new Decision(1, Operand.WEIGHTS), new Decision(1, Operand.ACTIVATIONS)),
        all(decisions));
    assertEquals(
        new Policy(List.of(LayerBits.of(8, 8), LayerBits.of(2, 5), LayerBits.of(8, 8))),
        decisions.policy(List.of(0.0, 0.5)));
  }

  @Test
  void onlyTheImageKeepsEightBitsWhenAsked() {
    Decisions decisions = decisions(THREE, Resource.LATENCY, Pinning.IMAGE);
    assertEquals(5, decisions.size());
    assertEquals(new Decision(0, Operand.WEIGHTS), decisions.get(0));
    assertEquals(new Decision(1, Operand.WEIGHTS), decisions.get(1));
    assertEquals(LayerBits.of(2, 8), decisions.uniform(0).get(0));
  }

  @Test
  void modelSizeDecidesWeightsAndLeavesActivationsInFloat() {
    Decisions decisions = decisions(THREE, Resource.MODEL_SIZE, Pinning.IMAGE);
    assertEquals(
        IntStream.range(0, 3).mapToObj(k -> new Decision(k, Operand.WEIGHTS)).toList(),
        all(decisions));
    assertEquals(new LayerBits(BitWidth.of(2), BitWidth.FLOAT), decisions.uniform(0).get(1));
  }

  @Test
  void aNetworkWithNothingLeftToSearchIsRefused() {
    Network two = new Network("", "two", List.of(linear("a"), linear("b")), 0);
    HaqException e =
        assertThrows(
            HaqException.class, () -> decisions(two, Resource.LATENCY, Pinning.FIRST_AND_LAST));
    assertEquals(Reason.INVALID_ARGUMENT, e.reason());
  }

  @Test
  void aWidthThatTheTableLacksIsRefused() {
    SearchSettings settings = settings(THREE, Resource.LATENCY, Pinning.IMAGE);
    CostTable narrow = table(THREE, Resource.LATENCY, BitChoices.range(4, 8));
    HaqException e = assertThrows(HaqException.class, () -> new Decisions(on(settings, narrow)));
    assertEquals(Reason.INVALID_BITS, e.reason());
  }

  @Test
  void nothingIsPinnedToAWidthThatCannotBeJudged() {
    SearchSettings four = choosing(BitChoices.range(3, 4), BitChoices.range(4, 4));
    CostTable wide = table(THREE, Resource.LATENCY, new BitChoices(List.of(3, 4, 16)));
    assertEquals(LayerBits.of(4, 4), new Decisions(on(four, wide)).uniform(0).get(0));
  }

  @Test
  void anOperandWithOneWidthToChooseFromIsPinnedToIt() {
    Decisions decisions = new Decisions(choosing(BitChoices.range(2, 8), BitChoices.range(6, 6)));
    assertEquals(List.of(new Decision(1, Operand.WEIGHTS)), all(decisions));
    assertEquals(LayerBits.of(2, 6), decisions.uniform(0).get(1));
    assertFalse(decisions.canReach(decisions.uniform(0).with(1, LayerBits.of(2, 8))));
    HaqException error =
        assertThrows(
            HaqException.class,
            () -> new Decisions(choosing(BitChoices.range(4, 4), BitChoices.range(8, 8))));
    assertTrue(error.getMessage().contains("nothing is left to search"), error.getMessage());
  }

  @Test
  void aLayerMayHaveWidthsOfItsOwn() {
    Decisions decisions = excepting(Resource.LATENCY, widths("b", List.of(4), List.of(2, 4)));
    assertEquals(List.of(new Decision(1, Operand.ACTIVATIONS)), all(decisions));
    assertEquals(LayerBits.of(4, 2), decisions.uniform(0).get(1));
    assertEquals(LayerBits.of(4, 4), decisions.uniform(1).get(1));
    assertTrue(decisions.canReach(decisions.uniform(1)));
    assertFalse(decisions.canReach(decisions.uniform(1).with(1, LayerBits.of(4, 3))));
  }

  @Test
  void aPinnedLayerThatIsNamedIsSearchedInWhatIsNamed() {
    Decisions decisions = excepting(Resource.LATENCY, widths("c", List.of(4, 6), List.of()));
    assertEquals(
        List.of(
            new Decision(1, Operand.WEIGHTS),
            new Decision(1, Operand.ACTIVATIONS),
            new Decision(2, Operand.WEIGHTS)),
        all(decisions));
    assertEquals(LayerBits.of(6, 8), decisions.uniform(1).get(2));
    assertEquals(BitChoices.PAPER, decisions.choices(Operand.WEIGHTS));
  }

  @Test
  void theImageMayBeNamedWithTheWidthThatItHasAnyway() {
    Decisions decisions = excepting(Resource.LATENCY, widths("a", List.of(8), List.of(8)));
    assertEquals(LayerBits.of(8, 8), decisions.uniform(0).get(0));
    assertEquals(2, decisions.size());
    assertRefused(
        "are the image, which stays at 8 bits",
        Resource.LATENCY,
        widths("a", List.of(8), List.of(4)));
  }

  @Test
  void anExceptionThatCannotBeMadeIsRefusedByName() {
    LayerWidths image = widths("a", List.of(), List.of(4, 8));
    assertRefused("activations of layer 'a' are the image", Resource.LATENCY, image);
    LayerWidths floats = widths("b", List.of(), List.of(4, 8));
    assertRefused("activations of layer 'b' stay float", Resource.MODEL_SIZE, floats);
    LayerWidths nobody = widths("d", List.of(4), List.of());
    assertRefused("no layer 'd': it has a, b, c", Resource.LATENCY, nobody);
    assertRefused("layer 'b' is named twice", Resource.LATENCY, floats, floats);
    assertThrows(HaqException.class, () -> widths("b", List.of(), List.of()));
  }

  private static void assertRefused(String expected, Resource resource, LayerWidths... exceptions) {
    HaqException e = assertThrows(HaqException.class, () -> excepting(resource, exceptions));
    assertEquals(Reason.INVALID_ARGUMENT, e.reason());
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  private static LayerWidths widths(
      String layer, List<Integer> weights, List<Integer> activations) {
    return new LayerWidths(layer, some(weights), some(activations));
  }

  private static Optional<BitChoices> some(List<Integer> bits) {
    return bits.isEmpty() ? Optional.empty() : Optional.of(new BitChoices(bits));
  }

  private static Decisions excepting(Resource resource, LayerWidths... exceptions) {
    SearchSettings usual = settings(THREE, resource, Pinning.FIRST_AND_LAST);
    return new Decisions(
        new SearchSettings(
            usual.network(),
            usual.budgets(),
            usual.weightBits(),
            usual.activationBits(),
            usual.pinning(),
            List.of(exceptions),
            usual.reward(),
            usual.seed(),
            usual.episodes()));
  }

  private static List<Decision> all(Decisions decisions) {
    return IntStream.range(0, decisions.size()).mapToObj(decisions::get).toList();
  }

  private static Decisions decisions(Network network, Resource resource, Pinning pinning) {
    return new Decisions(settings(network, resource, pinning));
  }

  private static List<ResourceBudget> budgets(Network network, Resource resource, BitChoices bits) {
    return List.of(new ResourceBudget(table(network, resource, bits), new BudgetLimit(1, 1)));
  }

  private static SearchSettings on(SearchSettings settings, CostTable table) {
    return new SearchSettings(
        settings.network(),
        List.of(new ResourceBudget(table, new BudgetLimit(1, 1))),
        settings.weightBits(),
        settings.activationBits(),
        settings.pinning(),
        settings.reward(),
        settings.seed(),
        settings.episodes());
  }

  private static SearchSettings settings(Network network, Resource resource, Pinning pinning) {
    return new SearchSettings(
        network,
        budgets(network, resource, BitChoices.TABLE),
        BitChoices.PAPER,
        BitChoices.PAPER,
        pinning,
        Reward.ACCURACY,
        1,
        1);
  }

  private static SearchSettings choosing(BitChoices weights, BitChoices activations) {
    return new SearchSettings(
        THREE,
        budgets(THREE, Resource.LATENCY, BitChoices.TABLE),
        weights,
        activations,
        Pinning.FIRST_AND_LAST,
        Reward.ACCURACY,
        1,
        1);
  }

  private static CostTable table(Network network, Resource resource, BitChoices bits) {
    return new CostTable(
        resource,
        network.layers().stream().map(Layer::name).toList(),
        bits,
        bits,
        new double[network.size() * bits.size() * bits.size()],
        new double[0],
        false);
  }

  private static Layer linear(String name) {
    return new Layer.Linear(name, 4, 4, 1, 0);
  }
}
