package dev.haq.hwsim.cost;

import dev.haq.model.HaqException;
import java.util.ArrayList;
import java.util.List;

/**
 * Energy of a bit-serial array, from the user: none is published. Each figure is picojoules, at
 * least 0, or null where it is not known.
 *
 * @param binaryOperationPj of one product of two bits
 * @param sramBitPj of one bit read from an on-chip buffer
 * @param dramBitPj of one bit brought through a port
 */
public record BismoEnergy(Double binaryOperationPj, Double sramBitPj, Double dramBitPj) {
  /** No figure is known. */
  public static final BismoEnergy UNKNOWN = new BismoEnergy(null, null, null);

  public BismoEnergy {
    check("binary_operation_pj", binaryOperationPj);
    check("sram_bit_pj", sramBitPj);
    check("dram_bit_pj", dramBitPj);
  }

  private static void check(String key, Double value) {
    if (value != null && !(value >= 0 && value <= 1e9)) {
      throw HaqException.invalid("bit_serial_energy.%s is %s pJ: give 0 to 1e9 pJ", key, value);
    }
  }

  boolean isComplete() {
    return missing().isEmpty();
  }

  /** Keys of the figures that are not known. */
  List<String> missing() {
    List<String> keys = new ArrayList<>();
    if (binaryOperationPj == null) {
      keys.add("bit_serial_energy.binary_operation_pj (pJ per binary operation)");
    }
    if (sramBitPj == null) {
      keys.add("bit_serial_energy.sram_bit_pj (pJ per SRAM bit)");
    }
    if (dramBitPj == null) {
      keys.add("bit_serial_energy.dram_bit_pj (pJ per DRAM bit)");
    }
    return keys;
  }
}
