package dev.haq.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Message;
import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Bound;
import dev.haq.model.Budget;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.DataSelection;
import dev.haq.model.EnergySplit;
import dev.haq.model.FeatureMap;
import dev.haq.model.FineTuning;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.LayerCost;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Resource;
import dev.haq.model.Traffic;
import dev.haq.model.Window;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class WireTest {
  private static final Network NETWORK =
      new Network(
          "sha256:1",
          "three layers",
          List.of(
              new Layer.Conv2d(
                  "stem",
                  4,
                  32,
                  2,
                  new Window(3, 5, 2, 1, 1, 2, 1, 0, 2, 1),
                  new FeatureMap(32, 30),
                  FeatureMap.square(16),
                  64),
              new Layer.DepthwiseConv2d(
                  "dw",
                  32,
                  64,
                  Window.square(3, 1, 1),
                  FeatureMap.square(16),
                  FeatureMap.square(16),
                  128),
              new Layer.Linear("fc", 64, 10, 1, 10)),
          7);

  @Test
  void aNetworkComesBackEqual() {
    assertEquals(NETWORK, NetworkWire.fromProto(NetworkWire.toProto(NETWORK)));
  }

  @Test
  void aConvolutionOfEveryChannelByItselfIsDepthwiseHoweverItIsWritten() {
    for (int outputs : List.of(32, 64)) {
      dev.haq.proto.model.v1.Layer grouped = NetworkWire.toProto(grouped(32, outputs, 32));
      assertEquals(
          new Layer.DepthwiseConv2d(
              "conv",
              32,
              outputs,
              Window.square(3, 1, 1),
              FeatureMap.square(16),
              FeatureMap.square(16),
              5),
          NetworkWire.fromProto(grouped));
    }
    for (Layer other : List.of(grouped(32, 64, 16), grouped(1, 8, 1))) {
      assertEquals(other, NetworkWire.fromProto(NetworkWire.toProto(other)));
    }
  }

  private static Layer grouped(int inputs, int outputs, int groups) {
    return new Layer.Conv2d(
        "conv",
        inputs,
        outputs,
        groups,
        Window.square(3, 1, 1),
        FeatureMap.square(16),
        FeatureMap.square(16),
        5);
  }

  @Test
  void aPolicyWithFloatOperandsComesBackEqual() {
    Policy policy =
        new Policy(
            List.of(
                LayerBits.of(8, 8),
                new LayerBits(BitWidth.of(3), BitWidth.FLOAT),
                LayerBits.unquantized()));

    assertEquals(policy, BitsWire.fromProto(BitsWire.toProto(policy, NETWORK), NETWORK));
  }

  @Test
  void aPolicyOfAnotherModelIsRefused() {
    dev.haq.proto.model.v1.Policy message =
        BitsWire.toProto(Policy.uniform(3, LayerBits.of(4, 4)), NETWORK).toBuilder()
            .setModel("sha256:2")
            .build();

    HaqException error =
        assertThrows(HaqException.class, () -> BitsWire.fromProto(message, NETWORK));

    assertEquals(Reason.POLICY_MISMATCH, error.reason());
    assertTrue(error.getMessage().contains("sha256:2"), error.getMessage());
  }

  @Test
  void aPolicyThatNamesAnotherLayerIsRefusedByName() {
    dev.haq.proto.model.v1.Policy.Builder message =
        BitsWire.toProto(Policy.uniform(3, LayerBits.of(4, 4)), NETWORK).toBuilder();
    message.getLayersBuilder(1).setName("other");

    HaqException error =
        assertThrows(HaqException.class, () -> BitsWire.fromProto(message.build(), NETWORK));

    assertTrue(error.getMessage().contains("'other'"), error.getMessage());
    assertTrue(error.getMessage().contains("'dw'"), error.getMessage());
  }

  @Test
  void aWidthOfThirtyTwoIsRefusedOnTheWire() {
    dev.haq.proto.model.v1.LayerBits message =
        dev.haq.proto.model.v1.LayerBits.newBuilder().setName("fc").setWeightBits(32).build();

    HaqException error = assertThrows(HaqException.class, () -> BitsWire.fromProto(message));

    assertEquals(Reason.INVALID_BITS, error.reason());
  }

  @Test
  void costsAndBudgetsComeBackEqual() {
    Cost cost = new Cost(12.5, 1e-3, OptionalDouble.of(2e-3), 77);
    assertEquals(cost, CostWire.fromProto(CostWire.toProto(cost)));
    for (Resource resource : Resource.values()) {
      assertEquals(
          Budget.ratio(resource, 0.6),
          CostWire.fromProto(CostWire.toProto(Budget.ratio(resource, 0.6))));
      assertEquals(
          Budget.absolute(resource, 3),
          CostWire.fromProto(CostWire.toProto(Budget.absolute(resource, 3))));
    }
  }

  @Test
  void aLayersCostIsToldWithWhatIsKnownOfIt() {
    LayerCost layer =
        new LayerCost(
            "dw",
            LayerBits.of(5, 6),
            new Cost(1, 2, OptionalDouble.empty(), 3),
            Bound.WEIGHT_PORT,
            OptionalDouble.of(0.5),
            OptionalDouble.empty(),
            true,
            Optional.of(new EnergySplit(1, 2, 3, 4)),
            Optional.of(new Traffic(1, 2, 3, OptionalDouble.of(4))));

    dev.haq.proto.model.v1.LayerCost message = CostWire.toProto(layer);

    assertEquals("dw", message.getBits().getName());
    assertEquals(5, message.getBits().getWeightBits());
    assertEquals(layer.cost(), CostWire.fromProto(message.getCost()));
    assertEquals(dev.haq.proto.model.v1.Bound.WEIGHT_PORT, message.getBoundBy());
    assertEquals(0.5, message.getUtilisation());
    assertFalse(message.hasTrafficBytes());
    assertTrue(message.getExtrapolated());
    assertEquals(10, total(message.getEnergySplit()));
    assertEquals(10, total(message.getTraffic()));
  }

  private static double total(Message figures) {
    return figures.getAllFields().values().stream().mapToDouble(value -> (Double) value).sum();
  }

  @Test
  void aCostTableComesBackCellByCell() {
    CostTable table =
        new CostTable(
            Resource.LATENCY,
            List.of("a", "b"),
            BitChoices.range(2, 3),
            new BitChoices(List.of(4)),
            new double[] {1, 2, 3, 4},
            new double[] {10, 20, 30, 40},
            true,
            5);

    CostTable back = CostWire.fromProto(CostWire.toProto(table));

    assertEquals(table.layers(), back.layers());
    assertEquals(table.weightBits(), back.weightBits());
    assertEquals(table.activationBits(), back.activationBits());
    assertArrayEquals(table.values(), back.values());
    assertArrayEquals(table.cycles(), back.cycles());
    assertEquals(table.fixed(), back.fixed());
    assertTrue(back.extrapolated());
  }

  @Test
  void dataSelectionsAndRecipesComeBackEqual() {
    DataSelection data =
        new DataSelection(
            "sha256:9",
            Optional.of(Preprocessing.preset("imagenet")),
            DataSelection.Split.HELD_OUT,
            500,
            32,
            -1,
            0.25);

    assertEquals(data, DataWire.fromProto(DataWire.toProto(data)));
    Recipe recipe =
        Recipe.named("haq-finetune")
            .withWeightScales(Recipe.WeightScales.PER_TENSOR)
            .withClips(Recipe.Clip.SQUARED_ERROR, Recipe.Clip.MIN_MAX)
            .withFineTuning(
                new FineTuning(
                    Optional.of(data),
                    3,
                    1e-2,
                    0.5,
                    1e-4,
                    32,
                    FineTuning.Schedule.COSINE,
                    true,
                    -7));
    assertEquals(recipe, RecipeWire.fromProto(RecipeWire.toProto(recipe)));
    Recipe evenly = Recipe.named("kmeans").withCodebookStart(Recipe.CodebookStart.LINEAR);
    assertEquals(evenly, RecipeWire.fromProto(RecipeWire.toProto(evenly)));
  }

  @Test
  void accuraciesOfPartsAddUpExactlyOverTheWire() {
    Accuracy first = new Accuracy(10, 7, 9, 1.5);
    Accuracy second = new Accuracy(30, 20, 25, 0.25);

    Accuracy sum =
        DataWire.fromProto(DataWire.toProto(first))
            .plus(DataWire.fromProto(DataWire.toProto(second)));

    assertEquals(new Accuracy(40, 27, 34, 1.75), sum);
    assertEquals(67.5, sum.top1());
  }

  @Test
  void divergenceFromTheFloatModelAddsUpWhereBothPartsWereCompared() {
    Accuracy compared = new Accuracy(10, 7, 9, 1.5, OptionalDouble.of(0.5));
    Accuracy back = DataWire.fromProto(DataWire.toProto(compared));

    assertEquals(OptionalDouble.of(0.05), back.plus(compared).klDivergence());
    assertEquals(OptionalDouble.empty(), back.plus(new Accuracy(1, 1, 1, 0)).klDivergenceSum());
  }
}
