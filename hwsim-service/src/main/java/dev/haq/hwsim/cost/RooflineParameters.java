package dev.haq.hwsim.cost;

import dev.haq.model.HaqException;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * The user's own accelerator (README, "A machine of your own"). A figure that may be left out is
 * null then.
 *
 * @param binaryMacsPerCycle products of two bits a clock cycle, of a bit-serial machine; or
 * @param macsPerCycle multiply-accumulate operations a cycle at some pairs of widths; a pair that
 *     is not listed runs like the slowest-growing listed one that holds it
 * @param tileRows output pixels, or input vectors, side by side
 * @param tileColumns output channels side by side
 * @param laneBits bits of a word along the depth of a dot product
 * @param padding whole tiles and words are computed and fetched, activations unfolded for every
 *     output pixel; without it only what the layer asks for
 * @param activationPortBitsPerCycle left out: no limit
 * @param weightPortBitsPerCycle left out: no limit
 * @param dramBitsPerCycle all traffic together; left out: no limit
 * @param onChipBytes weights up to this are fetched once a batch, larger ones once an image
 * @param outputBits width of a written output; 0: writing is not counted
 * @param combine how computing and the ports overlap
 * @param energy left out: energy is refused
 */
public record RooflineParameters(
    Double binaryMacsPerCycle,
    List<Rate> macsPerCycle,
    Integer tileRows,
    Integer tileColumns,
    Integer laneBits,
    Boolean padding,
    Double activationPortBitsPerCycle,
    Double weightPortBitsPerCycle,
    Double dramBitsPerCycle,
    Double onChipBytes,
    Integer outputBits,
    Combine combine,
    Energy energy) {
  private static final double MOST = 1e12;

  /** How computing and the ports overlap. */
  public enum Combine {
    /** Fully: the slowest decides. */
    MAX,
    /** Not at all. */
    SUM
  }

  /** A figure at one pair of widths. */
  public record Rate(Integer weightBits, Integer activationBits, Double value) {
    public Rate {
      check("weight_bits", weightBits, "bits", 1, 16);
      check("activation_bits", activationBits, "bits", 1, 16);
      check("value", value, "(MAC a cycle, or pJ per MAC)", 1e-9, MOST);
    }

    boolean holds(int weights, int activations) {
      return weights <= weightBits && activations <= activationBits;
    }
  }

  /**
   * Picojoules, and milliwatts.
   *
   * @param binaryMacPj of one product of two bits; or
   * @param macPj of a multiply-accumulate operation at some pairs of widths
   */
  public record Energy(
      Double binaryMacPj, List<Rate> macPj, Double sramBitPj, Double dramBitPj, Double staticMw) {
    public Energy {
      if ((binaryMacPj == null) == (macPj == null || macPj.isEmpty())) {
        throw HaqException.invalid(
            "energy: give binary_mac_pj (pJ per product of two bits) or mac_pj (a list of weight_bits, activation_bits, value in pJ per MAC), and not both");
      }
      macPj = macPj == null ? List.of() : List.copyOf(macPj);
      checkPairs("energy.mac_pj", macPj);
      optional("energy.binary_mac_pj", binaryMacPj, "pJ", 0, 1e9);
      check("energy.sram_bit_pj", sramBitPj, "pJ per bit", 0, 1e9);
      check("energy.dram_bit_pj", dramBitPj, "pJ per bit", 0, 1e9);
      check("energy.static_mw", staticMw, "mW", 0, 1e9);
    }

    Optional<Double> macPj(int weights, int activations) {
      return binaryMacPj != null
          ? Optional.of(binaryMacPj * weights * activations)
          : tightest(macPj, weights, activations).map(Rate::value);
    }
  }

  public RooflineParameters {
    if ((binaryMacsPerCycle == null) == (macsPerCycle == null || macsPerCycle.isEmpty())) {
      throw HaqException.invalid(
          "give binary_macs_per_cycle (products of two bits a cycle, up to 1e12) or macs_per_cycle (a list of weight_bits, activation_bits, value in MAC a cycle), and not both");
    }
    macsPerCycle = macsPerCycle == null ? List.of() : List.copyOf(macsPerCycle);
    checkPairs("macs_per_cycle", macsPerCycle);
    optional("binary_macs_per_cycle", binaryMacsPerCycle, "products a cycle", 1e-9, MOST);
    check("tile_rows", tileRows, "output pixels", 1, 1 << 20);
    check("tile_columns", tileColumns, "output channels", 1, 1 << 20);
    check("lane_bits", laneBits, "bits", 1, 1 << 20);
    padding = Boolean.TRUE.equals(padding);
    optional("activation_port_bits_per_cycle", activationPortBitsPerCycle, "bits", 1e-9, MOST);
    optional("weight_port_bits_per_cycle", weightPortBitsPerCycle, "bits", 1e-9, MOST);
    optional("dram_bits_per_cycle", dramBitsPerCycle, "bits", 1e-9, MOST);
    check("on_chip_bytes", onChipBytes, "bytes", 0, 1e15);
    outputBits = outputBits == null ? Integer.valueOf(0) : outputBits;
    check("output_bits", outputBits, "bits", 0, 64);
    if (combine == null) {
      throw HaqException.invalid("combine is missing: give max or sum");
    }
  }

  /** Whether it computes bit plane by bit plane. */
  boolean bitSerial() {
    return binaryMacsPerCycle != null;
  }

  /** Operations a cycle; empty where no listed pair holds these widths. */
  Optional<Double> macsPerCycle(int weights, int activations) {
    return bitSerial()
        ? Optional.of(binaryMacsPerCycle / (weights * activations))
        : tightest(macsPerCycle, weights, activations).map(Rate::value);
  }

  /** The listed pair with the fewest bits that holds these widths. */
  private static Optional<Rate> tightest(List<Rate> rates, int weights, int activations) {
    return rates.stream()
        .filter(rate -> rate.holds(weights, activations))
        .min(Comparator.comparingInt(rate -> rate.weightBits() * rate.activationBits()));
  }

  /** Refuses two entries for one pair of widths. */
  private static void checkPairs(String key, List<Rate> rates) {
    for (int i = 0; i < rates.size(); i++) {
      Rate rate = rates.get(i);
      if (rates.subList(0, i).stream()
          .anyMatch(
              first ->
                  first.weightBits().equals(rate.weightBits())
                      && first.activationBits().equals(rate.activationBits()))) {
        throw HaqException.invalid(
            "%s has two entries for weight_bits %d, activation_bits %d: leave one",
            key, rate.weightBits(), rate.activationBits());
      }
    }
  }

  private static void check(String key, Number value, String unit, double min, double max) {
    if (value == null) {
      throw HaqException.invalid(
          "%s is missing: give %s to %s %s", key, plain(min), plain(max), unit);
    }
    if (!(value.doubleValue() >= min && value.doubleValue() <= max)) {
      throw HaqException.invalid(
          "%s is %s: give %s to %s %s", key, value, plain(min), plain(max), unit);
    }
  }

  private static void optional(String key, Number value, String unit, double min, double max) {
    if (value != null) {
      check(key, value, unit, min, max);
    }
  }

  private static String plain(double value) {
    return value == Math.rint(value) && value < 1e7
        ? Long.toString((long) value)
        : Double.toString(value);
  }
}
