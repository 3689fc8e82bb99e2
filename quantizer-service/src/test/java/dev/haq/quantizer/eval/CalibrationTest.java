package dev.haq.quantizer.eval;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.BitWidth;
import dev.haq.model.Recipe.Clip;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.quant.Numerics.ActivationForm;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class CalibrationTest {
  private static final int CLASSES = 5;

  @Test
  void aCalibrationHoldsNothingOfItsNetworkButNames() throws IllegalAccessException {
    try (SessionRunner runner = new SessionRunner(1)) {
      SmallModel model = new SmallModel(3, 8, 8);
      String features = model.relu(model.conv("image", 3, 16, 3, 1, 1));
      String output = model.gemm(model.pooled(features), 16, CLASSES);
      CnnGraph graph = model.imported(output).graph();
      String tensor = graph.layers().get(1).input();
      Images images = new RandomImages(4, graph.inputValues(), CLASSES);
      Calibration calibration = Calibration.of(graph, images, runner, () -> false);
      assertFalse(
          calibration
              .quantizer(tensor, BitWidth.of(4), Clip.MIN_MAX, ActivationForm.SYMMETRIC)
              .signed());

      Set<Object> held = reachable(calibration);
      assertTrue(held.stream().anyMatch(tensor::equals), "names are found");
      for (Object one : held) {
        String type = one.getClass().getName();
        List.of("dev.haq.quantizer.onnx", "dev.haq.quantizer.graphs", "ai.onnx")
            .forEach(networks -> assertFalse(type.startsWith(networks), type));
        assertFalse(one == graph.layers().get(0).weights());
      }
    }
  }

  /** What an object's fields lead to, through those of this project's classes and collections. */
  private static Set<Object> reachable(Object from) throws IllegalAccessException {
    Set<Object> found = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Object> open = new ArrayDeque<>();
    open.add(from);
    while (!open.isEmpty()) {
      Object one = open.remove();
      if (found.add(one)) {
        if (one instanceof Map<?, ?> map) {
          open.addAll(map.keySet());
          open.addAll(map.values());
        } else if (one instanceof Iterable<?> many) {
          many.forEach(open::add);
        } else if (one instanceof Object[] many) {
          open.addAll(List.of(many));
        } else if (one.getClass().getName().startsWith("dev.haq")) {
          addFields(one, open);
        }
      }
    }
    return found;
  }

  private static void addFields(Object of, Deque<Object> open) throws IllegalAccessException {
    for (Field field : of.getClass().getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers()) && !field.getType().isPrimitive()) {
        field.setAccessible(true);
        Object value = field.get(of);
        if (value != null) {
          open.add(value);
        }
      }
    }
  }
}
