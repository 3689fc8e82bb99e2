package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.hwsim.Networks;
import dev.haq.hwsim.SharedData;
import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.model.BitChoices;
import dev.haq.model.CostTable;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GoldenTablesTest {
  private static CostTable latency(String target, Network network) {
    Accelerator accelerator = Catalogue.builtIn().file(target).accelerator();
    return PlainCosts.table(
        network,
        accelerator.costModel(accelerator.batch()),
        Resource.LATENCY,
        BitChoices.TABLE,
        BitChoices.TABLE);
  }

  /** Own golden set, for machines without the shared files: cycles of uniform policies. */
  @ParameterizedTest
  @CsvSource({
    "bismo-cloud, mobilenetv1, 8, 8, 31869918",
    "bismo-cloud, mobilenetv1, 3, 5, 14487092",
    "bismo-cloud, mobilenetv1, 1, 1, 2674608",
    "bismo-cloud, mobilenetv2, 8, 8, 39624933",
    "bismo-cloud, mobilenetv2, 3, 5, 18305932",
    "bismo-cloud, mobilenetv2, 1, 1, 3433704",
    "bismo-edge, mobilenetv1, 8, 8, 19995766",
    "bismo-edge, mobilenetv1, 3, 5, 10904076",
    "bismo-edge, mobilenetv1, 1, 1, 2134342",
    "bismo-edge, mobilenetv2, 8, 8, 24025075",
    "bismo-edge, mobilenetv2, 3, 5, 13158537",
    "bismo-edge, mobilenetv2, 1, 1, 2569129",
  })
  void uniformPoliciesCostTheGoldenCycles(
      String target, String name, int weights, int activations, double golden) {
    Network network = name.equals("mobilenetv1") ? Networks.mobileNetV1() : Networks.mobileNetV2();
    CostTable table = latency(target, network);
    double cycles = 0;
    for (int layer = 0; layer < network.size(); layer++) {
      cycles += table.cycles()[table.cell(layer, LayerBits.of(weights, activations))];
    }
    assertEquals(golden, cycles);
  }

  /**
   * The cloud's buffers hold one operand of every MobileNet layer; the edge's are so small that in
   * some layers, here the 14 x 14 pointwise ones at 8 bits, neither fits, which no figure pins.
   */
  @Test
  void mobileNetsRestOnPublishedPartsOnTheCloudAndPartlyOnOthersOnTheEdge() {
    Network network = Networks.mobileNetV1();
    assertFalse(latency("bismo-cloud", network).extrapolated());
    assertFalse(latency("bismo-cloud", Networks.mobileNetV2()).extrapolated());
    Simulation edge =
        PlainCosts.simulation(
            network,
            Catalogue.builtIn().file("bismo-edge").accelerator().costModel(1),
            Policy.uniform(network.size(), LayerBits.of(8, 8)),
            Set.of(),
            false);
    assertTrue(edge.extrapolated());
    for (int i = 0; i < network.size(); i++) {
      Layer layer = network.layer(i);
      // Words of a 14 x 14 pointwise layer: 196 x 2 x 8 activations, 512 x 2 x 8 weights.
      boolean neitherFits =
          layer instanceof Layer.Conv2d conv
              && conv.output().height() == 14
              && conv.inputs() == 512;
      assertTrue(!neitherFits || edge.layers().get(i).extrapolated(), layer.name());
      assertFalse(layer instanceof Layer.Linear && edge.layers().get(i).extrapolated());
    }
  }

  @Test
  void everyCellOfTheCloudGoldenFileIsMet() {
    check("hwsim/bismo_cloud_golden_layers.csv", "bismo-cloud");
  }

  @Test
  void everyCellOfTheEdgeGoldenFileIsMet() {
    check("hwsim/bismo_edge_calibrated_layers.csv", "bismo-edge");
  }

  private static void check(String file, String target) {
    CostTable v1 = latency(target, Networks.mobileNetV1());
    CostTable v2 = latency(target, Networks.mobileNetV2());
    CostTable alexNet = latency(target, Networks.alexNet());
    int checked = 0;
    for (Map<String, String> row : SharedData.csv(file)) {
      CostTable table =
          switch (row.get("network")) {
            case "mobilenetv1" -> v1;
            case "mobilenetv2" -> v2;
            default -> alexNet;
          };
      int cell =
          table.cell(
              Integer.parseInt(row.get("layer_index")),
              LayerBits.of(
                  Integer.parseInt(row.get("w_bits")), Integer.parseInt(row.get("a_bits"))));
      assertEquals(Double.parseDouble(row.get("cycles")), table.cycles()[cell], row::toString);
      assertEquals(
          Double.parseDouble(row.get("latency_ms_at_200MHz")),
          table.values()[cell] * 1e3,
          1e-9,
          row::toString);
      checked++;
    }
    assertTrue(checked >= 64 * (28 + 53), "checked " + checked);
  }

  /** The printed latencies leave the first and the last layer out. */
  @Test
  void publishedUniformLatenciesAreMetOnTheCloudToThePrintedDigitAndOnTheEdgeWithinThreePercent() {
    int checked = 0;
    for (Map<String, String> row : SharedData.csv("hwsim/published_vs_model.csv")) {
      if (!row.get("metric").equals("latency_ms")) {
        continue;
      }
      Network network =
          row.get("network").equals("mobilenetv1")
              ? Networks.mobileNetV1()
              : Networks.mobileNetV2();
      boolean cloud = row.get("target").equals("cloud");
      Accelerator target =
          Catalogue.builtIn().file(cloud ? "bismo-cloud" : "bismo-edge").accelerator();
      int bits = Integer.parseInt(row.get("uniform_bits"));
      Simulation simulation =
          PlainCosts.simulation(
              network,
              target.costModel(target.batch()),
              Policy.uniform(network.size(), LayerBits.of(bits, bits)),
              Set.of(),
              true);
      double published = Double.parseDouble(row.get("published_value"));
      double milliseconds = simulation.total().latencySeconds() * 1e3;
      assertEquals(published, milliseconds, cloud ? 0.005 : 0.03 * published, row::toString);
      checked++;
    }
    assertEquals(16, checked);
  }
}
