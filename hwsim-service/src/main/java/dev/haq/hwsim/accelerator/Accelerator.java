package dev.haq.hwsim.accelerator;

import dev.haq.hwsim.cost.BismoCostModel;
import dev.haq.hwsim.cost.BismoParameters;
import dev.haq.hwsim.cost.CostModel;
import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A hardware target as data, as its YAML file says it.
 *
 * @param name in requests
 * @param description for people
 * @param source where the figures come from
 * @param calibrated whether they were fitted to published totals rather than derived
 * @param batch images in a batch by default, at least 1
 * @param clockHz above 0
 * @param weightBits bit-widths weights may take, ascending
 * @param activationBits bit-widths activations may take, ascending
 * @param bitSerial the figures of its cost model
 */
public record Accelerator(
    String name,
    String description,
    String source,
    boolean calibrated,
    int batch,
    double clockHz,
    List<Integer> weightBits,
    List<Integer> activationBits,
    BismoParameters bitSerial) {
  public Accelerator {
    require("name", name);
    require("description", description);
    require("source", source);
    require("weight_bits", weightBits);
    require("activation_bits", activationBits);
    require("bit_serial", bitSerial);
    weightBits = new BitChoices(weightBits).bits();
    activationBits = new BitChoices(activationBits).bits();
    if (batch < 1) {
      throw HaqException.invalid("batch is %d: give at least 1", batch);
    }
  }

  private static void require(String key, Object value) {
    if (value == null) {
      throw HaqException.invalid("%s is missing", key);
    }
  }

  /** What this target can answer; model size is known for every target. */
  public Set<Resource> resources() {
    Set<Resource> resources = EnumSet.of(Resource.MODEL_SIZE);
    resources.addAll(costModel(batch).resources());
    return resources;
  }

  /** Its cost model for batches of {@code images}. */
  public CostModel costModel(int images) {
    return new BismoCostModel(
        name,
        bitSerial,
        clockHz,
        images,
        new BitChoices(weightBits),
        new BitChoices(activationBits));
  }
}
