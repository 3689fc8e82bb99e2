package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.haq.hwsim.Networks;
import dev.haq.hwsim.SharedData;
import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.model.BitChoices;
import dev.haq.model.CostTable;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import dev.haq.wire.NpyFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The figures published with the HAQ reference code (method, 8). */
class PublishedTableTest {
  private static final double CLOCK_HZ = 200e6;

  /** SHA-256 of the published array's cells, 64-bit integers, little endian. */
  private static final String PUBLISHED_CELLS =
      "51454b9faa0f110b9ba38c3c64860e92e6ca554f6ab6d63f4b47a25ebd162cba";

  private static NpyFile table() throws IOException {
    return NpyFile.parse(
        "published",
        Files.readAllBytes(
            SharedData.file("published/qmobilenetv2_imagenet100_batch16_latency_table.npy")));
  }

  /** The published policy; {@code imageBits} stands for its -1, the image. */
  private static Policy policy(int imageBits) throws IOException {
    JsonNode bits =
        new ObjectMapper()
            .readTree(SharedData.file("published/qmobilenetv2_ratio_0.6_policy.json").toFile())
            .get("bits");
    List<LayerBits> layers = new ArrayList<>();
    for (JsonNode pair : bits) {
      int activations = pair.get(1).asInt();
      layers.add(LayerBits.of(pair.get(0).asInt(), activations < 0 ? imageBits : activations));
    }
    return new Policy(layers);
  }

  private static Simulation simulate(Network network, CostModel model, Policy policy) {
    return PlainCosts.simulation(network, model, policy, Set.of(Resource.LATENCY), false);
  }

  @Test
  void theCloudTargetGivesAll3392CellsOfThePublishedTable() throws IOException {
    CostTable table = cloudTable();
    assertEquals(3392, table.cycles().length);
    assertArrayEquals(table().values(), table.cycles());
  }

  /** Where the published file is absent its digest still judges. */
  @Test
  void theCellsOfTheCloudTargetHaveThePublishedDigest() throws NoSuchAlgorithmException {
    double[] cycles = cloudTable().cycles();
    ByteBuffer cells =
        ByteBuffer.allocate(Long.BYTES * cycles.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double cell : cycles) {
      cells.putLong((long) cell);
    }
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(cells.array());
    assertEquals(PUBLISHED_CELLS, HexFormat.of().formatHex(digest));
  }

  private static CostTable cloudTable() {
    Accelerator cloud = Catalogue.builtIn().file("bismo-cloud").accelerator();
    return PlainCosts.table(
        Networks.mobileNetV2(),
        cloud.costModel(cloud.batch()),
        Resource.LATENCY,
        BitChoices.TABLE,
        BitChoices.TABLE);
  }

  @Test
  void thePublishedPolicyCostsThePublishedSumsOnTheModelAndOnTheTable() throws IOException {
    Network network = Networks.mobileNetV2();
    Accelerator cloud = Catalogue.builtIn().file("bismo-cloud").accelerator();
    CostModel lookup =
        new LookupTableCostModel(
            new LookupTable(
                "published",
                Resource.LATENCY,
                BitChoices.TABLE,
                BitChoices.TABLE,
                53,
                List.of(),
                table().values(),
                CLOCK_HZ,
                16));
    for (CostModel model : List.of(cloud.costModel(16), lookup)) {
      double eight =
          simulate(network, model, Policy.uniform(53, LayerBits.of(8, 8))).total().cycles();
      assertEquals(39_624_933, eight);
      // The reference code reads the image's -1 as an index from the end: the 7-bit column.
      assertEquals(23_433_397, simulate(network, model, policy(7)).total().cycles());
      // Read as what it means, 8 bit.
      double fitted = simulate(network, model, policy(8)).total().cycles();
      assertEquals(0.5965, fitted / eight, 5e-5);
      double[] uniform = {0.3966, 0.5279, 0.6726, 0.8300};
      for (int bits = 4; bits <= 7; bits++) {
        Policy policy = Policy.uniform(53, LayerBits.of(bits, bits));
        assertEquals(
            uniform[bits - 4], simulate(network, model, policy).total().cycles() / eight, 5e-5);
      }
    }
  }
}
