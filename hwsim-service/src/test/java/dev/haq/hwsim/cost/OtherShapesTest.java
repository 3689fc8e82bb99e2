package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.hwsim.accelerator.Accelerator;
import dev.haq.hwsim.accelerator.Catalogue;
import dev.haq.model.FeatureMap;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.LayerCost;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Window;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Layers that MobileNets do not have. */
class OtherShapesTest {
  private static final FeatureMap MAP = FeatureMap.square(28);

  private static Layer conv(
      String name,
      int inputs,
      int outputs,
      int groups,
      Window window,
      FeatureMap in,
      FeatureMap out) {
    return new Layer.Conv2d(name, inputs, outputs, groups, window, in, out, 0);
  }

  private static final Network NETWORK =
      new Network(
          "",
          "shapes",
          List.of(
              conv(
                  "stem",
                  3,
                  64,
                  1,
                  Window.square(7, 2, 3),
                  FeatureMap.square(224),
                  FeatureMap.square(112)),
              conv("dense 3x3", 64, 64, 1, Window.square(3, 1, 1), MAP, MAP),
              conv("shortcut", 64, 128, 1, Window.square(1, 2, 0), MAP, FeatureMap.square(14)),
              conv("grouped", 96, 256, 2, Window.square(5, 1, 2), MAP, MAP),
              conv("dilated", 64, 64, 1, new Window(3, 3, 1, 1, 2, 2, 2, 2, 2, 2), MAP, MAP),
              conv(
                  "one-dimensional",
                  40,
                  80,
                  1,
                  new Window(1, 9, 1, 1, 1, 1, 0, 4, 0, 4),
                  new FeatureMap(1, 100),
                  new FeatureMap(1, 100)),
              conv(
                  "asymmetric padding",
                  32,
                  32,
                  1,
                  new Window(3, 3, 2, 2, 1, 1, 0, 0, 1, 1),
                  MAP,
                  FeatureMap.square(14)),
              new Layer.Linear("rows", 512, 512, 49, 0)),
          0);

  private static Map<String, Boolean> extrapolated(String target) {
    Accelerator accelerator = Catalogue.builtIn().file(target).accelerator();
    return PlainCosts.simulation(
            NETWORK,
            accelerator.costModel(1),
            Policy.uniform(NETWORK.size(), LayerBits.of(8, 8)),
            Set.of(),
            false)
        .layers()
        .stream()
        .peek(layer -> assertTrue(layer.cost().latencySeconds() > 0, layer.name()))
        .collect(java.util.stream.Collectors.toMap(LayerCost::name, LayerCost::extrapolated));
  }

  @Test
  void everyShapeHasACostOnEveryTarget() {
    for (Accelerator accelerator : Catalogue.builtIn().all()) {
      assertEquals(NETWORK.size(), extrapolated(accelerator.name()).size());
    }
  }

  @Test
  void whatThePublicSimulatorDoesNotKnowIsMarkedOnBitFusion() {
    Map<String, Boolean> marks = extrapolated("bitfusion");
    for (String name : List.of("stem", "dense 3x3", "shortcut", "grouped", "asymmetric padding")) {
      assertFalse(marks.get(name), name);
    }
    for (String name : List.of("dilated", "one-dimensional", "rows")) {
      assertTrue(marks.get(name), name);
    }
  }

  @Test
  void layersThatWouldOverflowAreRefusedOnEveryTarget() {
    FeatureMap huge = FeatureMap.square(1 << 20);
    Window far = new Window(3, 3, 1, 1, 1 << 30, 1 << 30, 0, 0, 0, 0);
    for (Layer layer :
        List.of(
            conv("big", 1 << 14, 1 << 14, 1, Window.square(3, 1, 1), huge, huge),
            conv("big", 64, 64, 1, far, huge, huge))) {
      Network network = new Network("", "one", List.of(layer), 0);
      HaqException e =
          assertThrows(
              HaqException.class,
              () ->
                  PlainCosts.simulation(
                      network,
                      Catalogue.builtIn().file("bitfusion").accelerator().costModel(1),
                      Policy.uniform(1, LayerBits.of(8, 8)),
                      Set.of(),
                      false));
      assertEquals(Reason.TOO_LARGE, e.reason());
      assertTrue(e.getMessage().contains("layer big"), e.getMessage());
    }
  }

  @Test
  void groupsThatDoNotDivideTheChannelsAreRefused() {
    HaqException e =
        assertThrows(
            HaqException.class, () -> conv("bad", 10, 16, 4, Window.square(3, 1, 1), MAP, MAP));
    assertTrue(e.getMessage().contains("groups 4"), e.getMessage());
  }

  /** Buffers too small for one output: refused, not searched for ever. */
  @Test
  void anArrayWhoseBuffersHoldNothingIsRefusedByName() {
    Accelerator tiny =
        Catalogue.builtIn()
            .file("bitfusion")
            .with(Map.of("bit_fusion.output_buffer_bytes", 16.0))
            .accelerator();
    HaqException e =
        assertThrows(
            HaqException.class,
            () ->
                PlainCosts.simulation(
                    NETWORK,
                    tiny.costModel(1),
                    Policy.uniform(NETWORK.size(), LayerBits.of(8, 8)),
                    Set.of(),
                    false));
    assertTrue(e.getMessage().contains("layer stem"), e.getMessage());
  }
}
