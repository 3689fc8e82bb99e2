package dev.haq.hwsim.accelerator;

import dev.haq.hwsim.cost.BismoCostModel;
import dev.haq.hwsim.cost.BismoEnergy;
import dev.haq.hwsim.cost.BismoParameters;
import dev.haq.hwsim.cost.BitFusionCostModel;
import dev.haq.hwsim.cost.BitFusionParameters;
import dev.haq.hwsim.cost.CostModel;
import dev.haq.hwsim.cost.RooflineCostModel;
import dev.haq.hwsim.cost.RooflineParameters;
import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A hardware target as data, as its YAML or JSON file says it. Its figures are those of exactly one
 * cost model: {@code bitSerial}, {@code bitFusion} or {@code roofline}; the others are null.
 *
 * @param name in requests
 * @param description for people; left out: the name
 * @param source where the figures come from; left out: the caller
 * @param calibrated whether they were fitted to published totals rather than derived
 * @param batch images in a batch by default, at least 1; left out: 1
 * @param clockHz above 0
 * @param weightBits bit-widths weights may take, ascending
 * @param activationBits bit-widths activations may take, ascending
 * @param bitSerialEnergy with {@code bitSerial}: the user's own figures; left out: not known
 */
public record Accelerator(
    String name,
    String description,
    String source,
    Boolean calibrated,
    Integer batch,
    Double clockHz,
    List<Integer> weightBits,
    List<Integer> activationBits,
    BismoParameters bitSerial,
    BismoEnergy bitSerialEnergy,
    BitFusionParameters bitFusion,
    RooflineParameters roofline) {
  private static final double MAX_CLOCK_HZ = 1e12;

  public Accelerator {
    require("name", name, "a word to call it by");
    require("weight_bits", weightBits, "a list such as [2, 4, 8], each 1 to 16 bits, ascending");
    require("activation_bits", activationBits, "a list such as [8], each 1 to 16 bits, ascending");
    require("clock_hz", clockHz, "its clock in hertz, above 0 to 1e12");
    description = Objects.requireNonNullElse(description, name);
    source = Objects.requireNonNullElse(source, "described by the caller");
    calibrated = Boolean.TRUE.equals(calibrated);
    batch = Objects.requireNonNullElse(batch, 1);
    bitSerialEnergy = Objects.requireNonNullElse(bitSerialEnergy, BismoEnergy.UNKNOWN);
    weightBits = widths("weight_bits", weightBits);
    activationBits = widths("activation_bits", activationBits);
    if (batch < 1) {
      throw HaqException.invalid("batch is %d images: give at least 1", batch);
    }
    if (!(clockHz > 0 && clockHz <= MAX_CLOCK_HZ)) {
      throw HaqException.invalid("clock_hz is %s Hz: give above 0 to 1e12 Hz", clockHz);
    }
    if (Stream.of(bitSerial, bitFusion, roofline).filter(Objects::nonNull).count() != 1) {
      throw HaqException.invalid(
          "give the figures of exactly one of bit_serial, bit_fusion, roofline");
    }
    if (bitSerial == null && !bitSerialEnergy.equals(BismoEnergy.UNKNOWN)) {
      throw HaqException.invalid("bit_serial_energy belongs to bit_serial: leave it out");
    }
  }

  private static void require(String key, Object value, String wanted) {
    if (value == null) {
      throw HaqException.invalid("%s is missing: give %s", key, wanted);
    }
  }

  private static List<Integer> widths(String key, List<Integer> bits) {
    try {
      return new BitChoices(bits).bits();
    } catch (HaqException e) {
      throw new HaqException(e.reason(), key + ": " + e.getMessage(), e);
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
    BitChoices weights = new BitChoices(weightBits);
    BitChoices activations = new BitChoices(activationBits);
    if (bitFusion != null) {
      return new BitFusionCostModel(name, bitFusion, clockHz, images, weights, activations);
    }
    if (roofline != null) {
      return new RooflineCostModel(name, roofline, clockHz, images, weights, activations);
    }
    return new BismoCostModel(
        name, bitSerial, clockHz, images, weights, activations, bitSerialEnergy);
  }
}
