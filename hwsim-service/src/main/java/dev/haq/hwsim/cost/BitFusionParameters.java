package dev.haq.hwsim.cost;

import dev.haq.model.HaqException;

/**
 * Figures of a spatial array of fusion units (BitFusion, Sharma et al., ISCA 2018).
 *
 * @param rows input channels side by side (N)
 * @param columns output channels side by side (M)
 * @param widestBits width of a whole fusion unit, such as 8
 * @param narrowestBits narrowest width it computes at; narrower values compute like it
 * @param dramBitsPerCycle bits of memory traffic a clock cycle
 * @param weightBufferBytes both halves of the double buffer
 * @param activationBufferBytes both halves
 * @param outputBufferBytes both halves
 * @param outputBits width of a partial sum
 * @param depthwise how depthwise convolutions are computed
 * @param oddBits what 5, 6 and 7 bits cost
 * @param energy energy of each event
 */
public record BitFusionParameters(
    int rows,
    int columns,
    int widestBits,
    int narrowestBits,
    int dramBitsPerCycle,
    int weightBufferBytes,
    int activationBufferBytes,
    int outputBufferBytes,
    int outputBits,
    Depthwise depthwise,
    OddBits oddBits,
    Energy energy) {
  /** How depthwise convolutions are computed. */
  public enum Depthwise {
    /** As a dense convolution with zeros, as the paper's figures need it. */
    DENSE,
    /** One convolution of one channel after the other: physical, and pessimistic. */
    PER_GROUP
  }

  /** What widths between half of a fusion unit and a whole one cost. */
  public enum OddBits {
    /** Bilinear between 4 and 8, as a spatial-temporal design would. */
    INTERPOLATE,
    /** They compute like 8; memory takes the true bits. This is what the public simulator does. */
    ROUND_UP
  }

  /**
   * Picojoules.
   *
   * @param corePjPerComputeCycle of the whole array
   */
  public record Energy(
      double corePjPerComputeCycle,
      double weightReadPjPerBit,
      double weightWritePjPerBit,
      double activationReadPjPerBit,
      double activationWritePjPerBit,
      double outputReadPjPerBit,
      double outputWritePjPerBit,
      double dramPjPerBit) {
    public Energy {
      check("core_pj_per_compute_cycle", corePjPerComputeCycle);
      check("weight_read_pj_per_bit", weightReadPjPerBit);
      check("weight_write_pj_per_bit", weightWritePjPerBit);
      check("activation_read_pj_per_bit", activationReadPjPerBit);
      check("activation_write_pj_per_bit", activationWritePjPerBit);
      check("output_read_pj_per_bit", outputReadPjPerBit);
      check("output_write_pj_per_bit", outputWritePjPerBit);
      check("dram_pj_per_bit", dramPjPerBit);
    }

    private static void check(String key, double value) {
      if (!(value >= 0 && value <= 1e9)) {
        throw HaqException.invalid("energy.%s is %s pJ: give 0 to 1e9 pJ", key, value);
      }
    }
  }

  public BitFusionParameters {
    check("rows", rows, "input channels", 1 << 12);
    check("columns", columns, "output channels", 1 << 12);
    check("widest_bits", widestBits, "bits", 16);
    check("narrowest_bits", narrowestBits, "bits", widestBits);
    check("dram_bits_per_cycle", dramBitsPerCycle, "bits a cycle", 1 << 20);
    check("weight_buffer_bytes", weightBufferBytes, "bytes", 1 << 26);
    check("activation_buffer_bytes", activationBufferBytes, "bytes", 1 << 26);
    check("output_buffer_bytes", outputBufferBytes, "bytes", 1 << 26);
    check("output_bits", outputBits, "bits", 64);
    if (depthwise == null) {
      throw HaqException.invalid("depthwise is missing: give dense or per_group");
    }
    if (oddBits == null) {
      throw HaqException.invalid("odd_bits is missing: give interpolate or round_up");
    }
    if (energy == null) {
      throw HaqException.invalid("energy is missing: give its picojoules");
    }
  }

  private static void check(String key, int value, String unit, int max) {
    if (value < 1 || value > max) {
      throw HaqException.invalid("%s is %d %s: give 1 to %d", key, value, unit, max);
    }
  }
}
