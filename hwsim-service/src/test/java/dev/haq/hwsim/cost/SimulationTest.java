package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.hwsim.Networks;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Bound;
import dev.haq.model.FeatureMap;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import dev.haq.model.Window;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class SimulationTest {
  private static final CostModel EDGE =
      Catalogue.builtIn().file("bismo-edge").accelerator().costModel(1);
  private static final CostModel CLOUD =
      Catalogue.builtIn().file("bismo-cloud").accelerator().costModel(16);

  private static Simulation simulate(
      Network network, CostModel model, Policy policy, Resource... resources) {
    return PlainCosts.simulation(network, model, policy, Set.of(resources), false);
  }

  private static HaqException refused(Reason reason, Executable call) {
    HaqException e = assertThrows(HaqException.class, call);
    assertEquals(reason, e.reason(), e.getMessage());
    return e;
  }

  private static Simulation of(Layer layer, CostModel model) {
    return simulate(
        new Network("", "one", List.of(layer), 0), model, Policy.uniform(1, LayerBits.of(8, 8)));
  }

  @Test
  void modelSizeCountsWeightsAtTheirBitsAndEverythingElseAsFloat() {
    Network small =
        Networks.small(); // 432 + 144 + 160 weights; 32 + 32 + 10 and 10 float parameters
    Policy policy =
        new Policy(
            List.of(
                LayerBits.of(8, 8),
                new LayerBits(BitWidth.of(3), BitWidth.FLOAT),
                LayerBits.unquantized()));
    double bytes = simulate(small, EDGE, policy, Resource.MODEL_SIZE).total().modelSizeBytes();
    assertEquals(432 + 144 * 3 / 8.0 + 160 * 4 + 4 * (32 + 32 + 10 + 10), bytes);
  }

  @Test
  void codebooksAreCountedWhereAskedForInPoliciesAndTablesAlike() {
    Network small = Networks.small();
    Set<Resource> size = Set.of(Resource.MODEL_SIZE);
    Policy policy =
        new Policy(
            List.of(
                LayerBits.of(8, 8),
                new LayerBits(BitWidth.of(3), BitWidth.FLOAT),
                LayerBits.unquantized()));
    double without =
        PlainCosts.simulation(small, EDGE, policy, size, false).total().modelSizeBytes();
    double with =
        Simulation.of(small, EDGE, policy, size, false, true, () -> {}).total().modelSizeBytes();
    assertEquals(4 * (256 + 8), with - without, "4 bytes a centroid, none of the float layer");
    Policy four = Policy.uniform(3, LayerBits.of(4, 4));
    assertEquals(
        Simulation.of(small, EDGE, four, size, false, true, () -> {}).total().modelSizeBytes(),
        CostTableBuilder.build(
                small,
                EDGE,
                Resource.MODEL_SIZE,
                BitChoices.PAPER,
                BitChoices.PAPER,
                true,
                () -> {})
            .cost(four));
  }

  @Test
  void aFloatLayerIsRefusedUnlessOnlyTheModelSizeIsAskedFor() {
    Policy policy = Policy.unquantized(3);
    HaqException e = refused(Reason.INVALID_BITS, () -> simulate(Networks.small(), EDGE, policy));
    assertTrue(e.getMessage().contains("layer stem"), e.getMessage());
  }

  @Test
  void energyIsRefusedNamingTheMissingFigures() {
    HaqException e =
        refused(
            Reason.RESOURCE_NOT_MODELLED,
            () ->
                simulate(
                    Networks.small(),
                    EDGE,
                    Policy.uniform(3, LayerBits.of(4, 4)),
                    Resource.ENERGY));
    assertTrue(e.getMessage().contains("pJ per binary operation"), e.getMessage());
  }

  @Test
  void bitsTheTargetDoesNotHaveAreRefused() {
    refused(
        Reason.INVALID_BITS,
        () -> simulate(Networks.small(), EDGE, Policy.uniform(3, LayerBits.of(9, 8))));
    refused(
        Reason.INVALID_BITS,
        () ->
            PlainCosts.table(
                Networks.small(),
                EDGE,
                Resource.LATENCY,
                BitChoices.range(2, 9),
                BitChoices.PAPER));
  }

  @Test
  void aPolicyOfAnotherLengthIsRefused() {
    refused(
        Reason.POLICY_MISMATCH,
        () -> simulate(Networks.small(), EDGE, Policy.uniform(4, LayerBits.of(8, 8))));
  }

  @Test
  void whatThePublishedTableDoesNotPinIsMarkedExtrapolated() {
    FeatureMap map = FeatureMap.square(14);
    Window three = Window.square(3, 1, 1);
    assertFalse(of(new Layer.Conv2d("a", 28, 32, 1, three, map, map, 0), CLOUD).extrapolated());
    assertTrue(of(new Layer.Conv2d("a", 29, 32, 1, three, map, map, 0), CLOUD).extrapolated());
    assertTrue(
        of(new Layer.Conv2d("a", 32, 32, 2, Window.square(1, 1, 0), map, map, 0), CLOUD)
            .extrapolated());
    assertFalse(
        of(new Layer.DepthwiseConv2d("a", 32, 32, three, map, map, 0), CLOUD).extrapolated());
    assertTrue(
        of(new Layer.DepthwiseConv2d("a", 32, 64, three, map, map, 0), CLOUD).extrapolated());
    assertTrue(
        of(new Layer.DepthwiseConv2d("a", 32, 32, Window.square(5, 1, 2), map, map, 0), CLOUD)
            .extrapolated());
    assertFalse(of(new Layer.Linear("a", 1280, 1000, 1, 0), CLOUD).extrapolated());
    assertTrue(of(new Layer.Linear("a", 1280, 1000, 3, 0), CLOUD).extrapolated());
    // Both operands larger than their buffers.
    FeatureMap large = FeatureMap.square(112);
    assertTrue(
        of(new Layer.Conv2d("a", 512, 4096, 1, Window.square(1, 1, 0), large, large, 0), CLOUD)
            .extrapolated());
  }

  @Test
  void aLayerSaysWhatItWaitsFor() {
    FeatureMap map = FeatureMap.square(14);
    assertEquals(
        Bound.COMPUTE,
        of(new Layer.Conv2d("a", 384, 384, 1, Window.square(1, 1, 0), map, map, 0), CLOUD)
            .layers()
            .get(0)
            .boundBy());
    assertEquals(
        Bound.WEIGHT_PORT,
        of(new Layer.Linear("a", 1280, 1000, 1, 0), CLOUD).layers().get(0).boundBy());
  }

  @Test
  void theFirstAndTheLastLayerCanBeLeftOutOfTheTotal() {
    Policy policy = Policy.uniform(3, LayerBits.of(8, 8));
    Simulation all =
        PlainCosts.simulation(Networks.small(), EDGE, policy, Set.of(Resource.LATENCY), false);
    Simulation inner =
        PlainCosts.simulation(Networks.small(), EDGE, policy, Set.of(Resource.LATENCY), true);
    assertEquals(3, inner.layers().size());
    assertEquals(all.layers().get(1).cost().cycles(), inner.total().cycles());
  }

  @Test
  void layersWhoseCyclesWouldOverflowAreRefused() {
    FeatureMap huge = FeatureMap.square(1 << 20);
    Layer layer =
        new Layer.Conv2d("big", 1 << 14, 1 << 14, 1, Window.square(3, 1, 1), huge, huge, 0);
    HaqException e = refused(Reason.TOO_LARGE, () -> of(layer, EDGE));
    assertTrue(e.getMessage().contains("layer big"), e.getMessage());
  }

  @Test
  void aLookUpTableIsCheckedAgainstTheNetwork() {
    LookupTable two = lookup(2, List.of(), new double[] {1, 2}, 0);
    refused(
        Reason.INVALID_ARGUMENT,
        () ->
            simulate(
                Networks.small(),
                new LookupTableCostModel(two),
                Policy.uniform(3, LayerBits.of(8, 8))));
    refusedTable("has no layer dw", List.of("stem", "fc", "pw"));
    refusedTable(
        "has layers that network small has not, pool:", List.of("stem", "dw", "pool", "fc"));
  }

  private static void refusedTable(String expected, List<String> layers) {
    double[] ones = layers.stream().mapToDouble(layer -> 1).toArray();
    LookupTable table = lookup(layers.size(), layers, ones, 0);
    HaqException e =
        refused(
            Reason.INVALID_ARGUMENT,
            () ->
                simulate(
                    Networks.small(),
                    new LookupTableCostModel(table),
                    Policy.uniform(3, LayerBits.of(8, 8))));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  @Test
  void aLookUpTablesLayersAreToldByTheirNamesWhateverTheirOrder() {
    LookupTable shuffled = lookup(3, List.of("fc", "stem", "dw"), new double[] {4, 1, 2}, 0);
    Simulation simulation =
        simulate(
            Networks.small(),
            new LookupTableCostModel(shuffled),
            Policy.uniform(3, LayerBits.of(8, 8)));
    assertEquals(
        List.of(1.0, 2.0, 4.0),
        simulation.layers().stream().map(layer -> layer.cost().latencySeconds()).toList());
    refused(
        Reason.INVALID_ARGUMENT,
        () -> lookup(3, List.of("fc", "fc", "dw"), new double[] {1, 2, 3}, 0));
  }

  @Test
  void aLookUpTableGivesItsCellsInSecondsOrThroughTheClock() {
    Policy policy = Policy.uniform(3, LayerBits.of(8, 8));
    LookupTable seconds = lookup(3, List.of(), new double[] {1, 2, 3}, 0);
    assertEquals(
        6,
        simulate(Networks.small(), new LookupTableCostModel(seconds), policy)
            .total()
            .latencySeconds());
    LookupTable cycles = lookup(3, List.of(), new double[] {1, 2, 3}, 2);
    Simulation clocked = simulate(Networks.small(), new LookupTableCostModel(cycles), policy);
    assertEquals(3, clocked.total().latencySeconds());
    assertEquals(6, clocked.total().cycles());
    assertEquals(Bound.UNKNOWN, clocked.layers().get(0).boundBy());
  }

  @Test
  void badLookUpTablesAreRefusedNamingTheField() {
    for (double bad : new double[] {Double.NaN, -1, Double.POSITIVE_INFINITY}) {
      HaqException e =
          refused(Reason.INVALID_ARGUMENT, () -> lookup(3, List.of(), new double[] {1, bad, 3}, 0));
      assertTrue(e.getMessage().contains("values[1]"), e.getMessage());
    }
    refused(Reason.INVALID_ARGUMENT, () -> lookup(3, List.of(), new double[] {1, 2}, 0));
    refused(Reason.INVALID_ARGUMENT, () -> lookup(3, List.of(), new double[3], 0));
    refused(Reason.INVALID_ARGUMENT, () -> lookup(3, List.of("a"), new double[] {1, 2, 3}, 0));
    refused(
        Reason.INVALID_ARGUMENT, () -> lookup(3, List.of(), new double[] {1, 2, 3}, Double.NaN));
  }

  private static LookupTable lookup(
      int layers, List<String> names, double[] values, double clockHz) {
    BitChoices eight = new BitChoices(List.of(8));
    return new LookupTable(
        "mine", Resource.LATENCY, eight, eight, layers, names, values, clockHz, 1);
  }
}
