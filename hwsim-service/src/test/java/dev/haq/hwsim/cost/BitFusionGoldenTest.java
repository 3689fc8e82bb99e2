package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.hwsim.Networks;
import dev.haq.hwsim.SharedData;
import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.CostTable;
import dev.haq.model.EnergySplit;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BitFusionGoldenTest {
  private static final double JOULES_PER_NJ = 1e-9;

  private static CostModel model(int batch, String depthwise, String oddBits) {
    return Catalogue.builtIn()
        .file("bitfusion")
        .with(Map.of("bit_fusion.depthwise", depthwise, "bit_fusion.odd_bits", oddBits))
        .accelerator()
        .costModel(batch);
  }

  private static Network network(String name) {
    return switch (name) {
      case "mobilenetv1" -> Networks.mobileNetV1();
      case "mobilenetv2" -> Networks.mobileNetV2();
      default -> Networks.alexNet();
    };
  }

  private static Simulation uniform(CostModel model, int bits) {
    Network network = Networks.mobileNetV1();
    return PlainCosts.simulation(
        network, model, Policy.uniform(network.size(), LayerBits.of(bits, bits)), Set.of(), false);
  }

  @ParameterizedTest
  @CsvSource({
    "hwsim/bitfusion_golden_layers.csv, per_group, 1602",
    "hwsim/bitfusion_golden_oddbits.csv, per_group, 1296",
    "hwsim/bitfusion_haq_densedw_layers.csv, dense, 729",
  })
  void everyRowOfTheGoldenFilesIsMetExactlyInCyclesAndTo1e9InEnergy(
      String file, String depthwise, int rows) {
    Map<Integer, CostModel> byBatch = new HashMap<>();
    Map<String, Network> networks = new HashMap<>();
    int checked = 0;
    for (Map<String, String> row : SharedData.csv(file)) {
      CostModel model =
          byBatch.computeIfAbsent(
              Integer.parseInt(row.get("batch")), batch -> model(batch, depthwise, "round_up"));
      Network network = networks.computeIfAbsent(row.get("network"), BitFusionGoldenTest::network);
      RunCost cost =
          model.run(
              network,
              Integer.parseInt(row.get("layer_index")),
              BitWidth.of(Integer.parseInt(row.get("w_bits"))),
              BitWidth.of(Integer.parseInt(row.get("a_bits"))));
      assertEquals(Double.parseDouble(row.get("total_cycles")), cost.cycles(), row::toString);
      EnergySplit energy = cost.energySplit().orElseThrow();
      near(row, "e_compute_nJ", energy.computeJoules());
      near(row, "e_sram_nJ", energy.sramJoules());
      near(row, "e_dram_nJ", energy.dramJoules());
      near(row, "e_total_nJ", cost.energyJoules().orElseThrow());
      checked++;
    }
    assertEquals(rows, checked);
  }

  private static void near(Map<String, String> row, String column, double joules) {
    double golden = Double.parseDouble(row.get(column)) * JOULES_PER_NJ;
    // The older files print six decimals of a nanojoule.
    double printed = 0.5e-6 * JOULES_PER_NJ;
    assertEquals(golden, joules, 1e-9 * golden + printed, () -> column + " of " + row);
  }

  /** The published figures stand here, so that machines without the shared files check them too. */
  @ParameterizedTest
  @CsvSource({"8, 31.03, 0.002", "4, 13.47, 0.002", "5, 16.57, 0.05", "6, 19.99, 0.05"})
  void mobileNetV1TakesThePublishedEnergies(int bits, double millijoules, double tolerance) {
    Accelerator bitFusion = Catalogue.builtIn().file("bitfusion").accelerator();
    double joules = uniform(bitFusion.costModel(1), bits).total().energyJoules().orElseThrow();
    assertEquals(millijoules, joules * 1e3, tolerance * millijoules);
  }

  @Test
  void theSplitAddsUpToTheEnergy() {
    Simulation simulation = uniform(model(1, "per_group", "interpolate"), 6);
    double sum =
        simulation.layers().stream()
            .mapToDouble(layer -> layer.energySplit().orElseThrow().totalJoules())
            .sum();
    assertEquals(simulation.total().energyJoules().orElseThrow(), sum, 1e-15);
  }

  @Test
  void interpolatedWidthsLieBetweenTheirNeighbours() {
    CostModel model = Catalogue.builtIn().file("bitfusion").accelerator().costModel(1);
    double four = uniform(model, 4).total().energyJoules().orElseThrow();
    double five = uniform(model, 5).total().energyJoules().orElseThrow();
    double eight = uniform(model, 8).total().energyJoules().orElseThrow();
    assertTrue(four < five && five < eight);
  }

  @Test
  void anEnergyTableGivesAPolicyTheTotalOfASimulation() {
    Network network = Networks.mobileNetV2();
    CostModel model = Catalogue.builtIn().file("bitfusion").accelerator().costModel(1);
    CostTable table =
        PlainCosts.table(network, model, Resource.ENERGY, BitChoices.PAPER, BitChoices.PAPER);
    Policy policy = Policy.uniform(network.size(), LayerBits.of(5, 7));
    assertEquals(
        table.cost(policy),
        PlainCosts.simulation(network, model, policy, Set.of(), false)
            .total()
            .energyJoules()
            .orElseThrow());
  }
}
