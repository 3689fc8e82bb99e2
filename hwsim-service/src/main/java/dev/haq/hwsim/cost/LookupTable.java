package dev.haq.hwsim.cost;

import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Costs measured on the caller's own device: cell [layer][weight choice][activation choice],
 * row-major.
 *
 * @param name what it was measured on, for people
 * @param resource latency or energy
 * @param layers at least 1
 * @param layerNames as many as layers, all different and in any order; or none, where the layers
 *     are in the network's order
 * @param values finite and at least 0, not all of them 0; seconds or joules, or clock cycles when
 *     {@code clockHz} is above 0
 * @param clockHz 0 when the values are seconds or joules
 * @param batch images in the measured batch, at least 1
 */
public record LookupTable(
    String name,
    Resource resource,
    BitChoices weightBits,
    BitChoices activationBits,
    int layers,
    List<String> layerNames,
    double[] values,
    double clockHz,
    int batch) {
  public LookupTable {
    layerNames = List.copyOf(layerNames);
    if (resource == Resource.MODEL_SIZE) {
      throw HaqException.invalid(
          "lookup_table.resource is MODEL_SIZE, which is computed, not looked up: give LATENCY or ENERGY");
    }
    if (layers < 1) {
      throw HaqException.invalid("lookup_table.layers is %d: give at least 1", layers);
    }
    long cells = (long) layers * weightBits.size() * activationBits.size();
    if (values.length != cells) {
      throw HaqException.invalid(
          "lookup_table.values has %d values, but %d layers x %d weight widths x %d activation widths are %d cells",
          values.length, layers, weightBits.size(), activationBits.size(), cells);
    }
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] >= 0) || Double.isInfinite(values[i])) {
        int pair = i % (weightBits.size() * activationBits.size());
        throw HaqException.invalid(
            "lookup_table.values[%d] (layer %d from 0 on, W%dA%d) is %s: every cost must be a finite number of at least 0",
            i,
            i / (weightBits.size() * activationBits.size()),
            weightBits.bits().get(pair / activationBits.size()),
            activationBits.bits().get(pair % activationBits.size()),
            values[i]);
      }
    }
    if (Arrays.stream(values).allMatch(value -> value == 0)) {
      throw HaqException.invalid(
          "table %s holds 0 for every cost: give costs above 0",
          name.isBlank() ? "lookup_table" : name);
    }
    if (!layerNames.isEmpty() && layerNames.size() != layers) {
      throw HaqException.invalid(
          "lookup_table.layer_names has %d names for %d layers: give all of them, or none",
          layerNames.size(), layers);
    }
    Set<String> names = new HashSet<>();
    for (String layer : layerNames) {
      if (!names.add(layer)) {
        throw HaqException.invalid(
            "lookup_table.layer_names has %s twice: every layer has a name of its own", layer);
      }
    }
    if (!(clockHz >= 0) || Double.isInfinite(clockHz)) {
      throw HaqException.invalid("lookup_table.clock_hz is %s: it must be above 0", clockHz);
    }
    if (clockHz > 0 && resource != Resource.LATENCY) {
      throw HaqException.invalid(
          "lookup_table.unit is CYCLES for %s: only LATENCY can be given in cycles", resource);
    }
    if (batch < 1) {
      throw HaqException.invalid("lookup_table.batch is %d: give at least 1", batch);
    }
  }
}
