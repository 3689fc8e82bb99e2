package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.hwsim.Networks;
import dev.haq.hwsim.SharedData;
import dev.haq.hwsim.accelerator.AcceleratorFile;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import dev.haq.model.Traffic;
import dev.haq.wire.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RooflineTest {
  /** The machine of bismo-cloud as a roofline. */
  private static final String CLOUD =
      """
      name: cloud-roofline
      batch: 16
      clock_hz: 200000000
      weight_bits: [1, 2, 3, 4, 5, 6, 7, 8]
      activation_bits: [1, 2, 3, 4, 5, 6, 7, 8]
      roofline:
        binary_macs_per_cycle: 65536
        tile_rows: 16
        tile_columns: 16
        lane_bits: 256
        padding: true
        activation_port_bits_per_cycle: 256
        weight_port_bits_per_cycle: 256
        on_chip_bytes: 0
        combine: max
      """;

  /** The same with lanes of 32 bits for whole values. */
  private static final String PADDED =
      CLOUD
          .replace("lane_bits: 256", "lane_bits: 32")
          .replace(
              "binary_macs_per_cycle: 65536",
              "macs_per_cycle: [{weight_bits: 8, activation_bits: 8, value: 512}]");

  private static AcceleratorFile cloud() {
    return AcceleratorFile.parse("cloud.yaml", CLOUD);
  }

  /** hwsim/lut_model_fit_errors.csv, row C, all cells: also its mean, to the digits given. */
  @Test
  void withTheCloudsFiguresItMissesThePublishedTableAsKnown() throws IOException {
    double[] published =
        NpyFile.parse(
                "published",
                Files.readAllBytes(
                    SharedData.file(
                        "published/qmobilenetv2_imagenet100_batch16_latency_table.npy")))
            .values();
    CostTable table =
        PlainCosts.table(
            Networks.mobileNetV2(),
            cloud().accelerator().costModel(16),
            Resource.LATENCY,
            BitChoices.TABLE,
            BitChoices.TABLE);
    double sum = 0;
    double most = 0;
    for (int i = 0; i < published.length; i++) {
      double error = Math.abs(table.cycles()[i] - published[i]) / published[i];
      sum += error;
      most = Math.max(most, error);
    }
    assertEquals(0.05421920322916493, sum / published.length, 1e-12);
    assertEquals(0.3996937212863706, most, 1e-12);
  }

  @Test
  void eachOperandIsFetchedInWordsOfItsOwnWidth() {
    CostModel model = padded(PADDED);
    Network network = Networks.mobileNetV2();
    for (int layer = 0; layer < network.layers().size(); layer++) {
      for (int a = 1; a <= 8; a++) {
        double before = 0;
        for (int w = 1; w <= 8; w++) {
          Traffic traffic = traffic(model, network, layer, w, a);
          assertTrue(traffic.weightBytes() >= before, "layer " + layer + " at " + w + "," + a);
          assertEquals(
              traffic(model, network, layer, 1, a).activationBytes(), traffic.activationBytes());
          before = traffic.weightBytes();
        }
      }
    }
    // Depth 320: at 8 bits 4 values a word of 4 bytes, at 4 bits 8, at 3 bits 10.
    int last = 51;
    double outputs = 1280;
    assertEquals(80 * 4 * outputs, traffic(model, network, last, 8, 8).weightBytes());
    assertEquals(40 * 4 * outputs, traffic(model, network, last, 4, 8).weightBytes());
    assertEquals(32 * 4 * outputs, traffic(model, network, last, 3, 8).weightBytes());
  }

  private static CostModel padded(String description) {
    return AcceleratorFile.parse("padded.yaml", description).accelerator().costModel(1);
  }

  private static Traffic traffic(CostModel model, Network network, int layer, int w, int a) {
    return model.run(network, layer, BitWidth.of(w), BitWidth.of(a)).traffic().orElseThrow();
  }

  @Test
  void paddedWordsMustHoldTheWidestValue() {
    String narrow = PADDED.replace("lane_bits: 32", "lane_bits: 7");
    HaqException e = assertThrows(HaqException.class, () -> padded(narrow));
    assertEquals(Reason.INVALID_ARGUMENT, e.reason());
    assertTrue(
        e.getMessage().contains("roofline.lane_bits is 7") && e.getMessage().contains("at least 8"),
        e.getMessage());
    padded(narrow.replace("padding: true", "padding: false"));
    padded(CLOUD.replace("lane_bits: 256", "lane_bits: 1"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"vnni-cpu", "tensor-core-gpu", "variable-bit-npu"})
  void everyShippedExampleRunsAtItsOwnBitsAndSaysItIsExtrapolated(String name) {
    var accelerator = Catalogue.builtIn().file(name).accelerator();
    CostModel model = accelerator.costModel(accelerator.batch());
    Network network = Networks.mobileNetV2();
    CostTable table =
        PlainCosts.table(
            network, model, Resource.LATENCY, model.weightBits(), model.activationBits());
    assertTrue(table.extrapolated());
    double eight = table.cost(Policy.uniform(53, LayerBits.of(8, 8)));
    double least =
        table.cost(
            Policy.uniform(
                53, LayerBits.of(model.weightBits().min(), model.activationBits().min())));
    assertTrue(least > 0 && least < eight, name + " " + least + " " + eight);
    assertTrue(accelerator.source().length() > 40);
  }

  @Test
  void energyNeedsAllOfTheUsersFigures() {
    Network small = Networks.small();
    Policy policy = Policy.uniform(3, LayerBits.of(4, 4));
    HaqException e =
        assertThrows(
            HaqException.class,
            () ->
                PlainCosts.simulation(
                    small,
                    cloud().accelerator().costModel(1),
                    policy,
                    Set.of(Resource.ENERGY),
                    false));
    assertEquals(Reason.RESOURCE_NOT_MODELLED, e.reason());
    assertTrue(e.getMessage().contains("static_mw"), e.getMessage());
    AcceleratorFile withEnergy =
        cloud()
            .with(
                Map.of(
                    "roofline.energy.binary_mac_pj", 0.01,
                    "roofline.energy.sram_bit_pj", 0.03,
                    "roofline.energy.dram_bit_pj", 15.0,
                    "roofline.energy.static_mw", 100.0));
    Simulation simulation =
        PlainCosts.simulation(
            small, withEnergy.accelerator().costModel(1), policy, Set.of(Resource.ENERGY), false);
    assertTrue(simulation.total().energyJoules().orElseThrow() > 0);
    assertTrue(simulation.layers().get(0).energySplit().orElseThrow().staticJoules() > 0);
  }

  @Test
  void bitSerialEnergyNeedsTheUsersFiguresAndNamesThoseThatAreMissing() {
    var file = Catalogue.builtIn().file("bismo-edge");
    CostModel partly =
        file.with(Map.of("bit_serial_energy.sram_bit_pj", 0.1)).accelerator().costModel(1);
    HaqException e =
        assertThrows(HaqException.class, () -> partly.requireModelled(Resource.ENERGY));
    assertEquals(Reason.RESOURCE_NOT_MODELLED, e.reason());
    assertTrue(e.getMessage().contains("binary_operation_pj"), e.getMessage());
    assertTrue(e.getMessage().contains("dram_bit_pj"), e.getMessage());
    assertTrue(!e.getMessage().contains("sram_bit_pj"), e.getMessage());
    CostModel complete =
        file.with(
                Map.of(
                    "bit_serial_energy.sram_bit_pj", 0.1,
                    "bit_serial_energy.dram_bit_pj", 15.0,
                    "bit_serial_energy.binary_operation_pj", 0.01))
            .accelerator()
            .costModel(1);
    Simulation simulation =
        PlainCosts.simulation(
            Networks.small(),
            complete,
            Policy.uniform(3, LayerBits.of(8, 8)),
            Set.of(Resource.ENERGY),
            false);
    assertTrue(simulation.total().energyJoules().orElseThrow() > 0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "clock_hz: 200000000|clock_hz: 0|clock_hz is 0",
        "clock_hz: 200000000|clock_hz: .nan|line 3 'clock_hz: .nan'",
        "clock_hz: 200000000|clock: 5|clock",
        "tile_rows: 16|tile_rows: -1|tile_rows is -1: give 1 to 1048576 output pixels",
        "tile_rows: 16|tile_rows: 1.5|tile_rows",
        "tile_rows: 16|tile_rows: many|key roofline.tile_rows: many is not a whole number",
        "clock_hz: 200000000|clock_hz: fast|key clock_hz: fast is not a number",
        "padding: true|padded: true|key roofline.padded: there is no such key: the keys beside it are ",
        "on_chip_bytes: 0|output_bits: 8|on_chip_bytes is missing",
        "combine: max|combine: min|key roofline.combine: min is not max or sum",
        "binary_macs_per_cycle: 65536|output_bits: 8|binary_macs_per_cycle",
        "weight_port_bits_per_cycle: 256|weight_port_bits_per_cycle: .inf|numeric value '.inf'",
        "batch: 16|batch: 0|batch is 0",
        "name: cloud-roofline|description: none|name is missing",
        "weight_bits: [1, 2, 3, 4, 5, 6, 7, 8]|weight_bits: [8, 4]|distinct and ascending",
        "weight_bits: [1, 2, 3, 4, 5, 6, 7, 8]|weight_bits: [0, 4]|0",
        "weight_bits: [1, 2, 3, 4, 5, 6, 7, 8]|weight_bits: [8, 32]|weight_bits: 32 stands for float",
        "tile_rows: 16|tile_rows: {|line ",
        "weight_bits: [1, 2, 3, 4, 5, 6, 7, 8]|weight_bits: 8|key weight_bits: expected a list, such as",
        "padding: true|padding: maybe|key roofline.padding: maybe is not true or false",
        "padding: true|padding: [1]|key roofline.padding: expected true or false",
        "tile_rows: 16|tile_rows: [16]|key roofline.tile_rows: expected a whole number",
        "clock_hz: 200000000|clock_hz: {a: 1}|key clock_hz: expected a number",
        "name: cloud-roofline|name: [a]|key name: expected a word",
        "on_chip_bytes: 0|energy: cheap|key roofline.energy: expected keys and values",
        "tile_rows: 16|lane_bits: 16|Duplicate field 'lane_bits'",
      })
  void badDescriptionsAreRefusedNamingTheKey(String good, String bad, String named) {
    HaqException e =
        assertThrows(
            HaqException.class, () -> AcceleratorFile.parse("mine.yaml", CLOUD.replace(good, bad)));
    assertTrue(e.getMessage().contains("mine.yaml"), e.getMessage());
    assertTrue(e.getMessage().contains(named), e.getMessage());
  }

  @Test
  void twoEntriesForOnePairOfWidthsAreRefused() {
    String rates =
        """
          macs_per_cycle:
            - {weight_bits: 8, activation_bits: 8, value: 100}
            - {weight_bits: 4, activation_bits: 8, value: 200}
            - {weight_bits: 8, activation_bits: 8, value: 300}
        """
            .stripTrailing();
    assertTwoEntries(
        CLOUD.replace("  binary_macs_per_cycle: 65536", rates),
        "key roofline: macs_per_cycle has two entries for weight_bits 8, activation_bits 8");
    String energy = "  energy:\n" + rates.replace("macs_per_cycle", "mac_pj").indent(2);
    assertTwoEntries(
        CLOUD + energy + "    sram_bit_pj: 0\n    dram_bit_pj: 0\n    static_mw: 0\n",
        "key roofline.energy: energy.mac_pj has two entries");
  }

  private static void assertTwoEntries(String text, String expected) {
    HaqException e =
        assertThrows(HaqException.class, () -> AcceleratorFile.parse("mine.yaml", text));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  @Test
  void overridesNameAFigureOrASwitch() {
    AcceleratorFile bitFusion = Catalogue.builtIn().file("bitfusion");
    assertEquals(1e9, bitFusion.with(Map.of("clock_hz", 1e9)).accelerator().clockHz());
    for (String bad :
        List.of(
            "clock",
            "name",
            "bit_fusion",
            "bit_fusion.rows.x",
            "bit_fusion.row",
            "",
            "roofline.tile_rows")) {
      assertThrows(HaqException.class, () -> bitFusion.with(Map.of(bad, 5.0)), bad);
    }
    HaqException e =
        assertThrows(
            HaqException.class,
            () -> bitFusion.with(Map.of("bit_fusion.dram_bits_per_cycle", 0.0)));
    assertTrue(e.getMessage().contains("dram_bits_per_cycle is 0"), e.getMessage());
  }
}
