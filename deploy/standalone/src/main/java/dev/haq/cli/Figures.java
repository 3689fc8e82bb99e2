package dev.haq.cli;

import dev.haq.proto.model.v1.Cost;
import dev.haq.proto.model.v1.Resource;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Numbers as people read them. */
final class Figures {
  /** What the mark means, for the end of a line. */
  static final String EXTRAPOLATED =
      "; some layers rest on parts of the cost model that no published figure checks (extrapolated)";

  private Figures() {}

  static String fixed(double value, int decimals) {
    return String.format(Locale.ROOT, "%." + decimals + "f", value);
  }

  static String grouped(double value) {
    return String.format(Locale.ROOT, value == Math.rint(value) ? "%,.0f" : "%,.1f", value);
  }

  static String milliseconds(double seconds) {
    return plain(seconds * 1e3);
  }

  /** A value in the resource's unit, with a unit that suits its size. */
  static String amount(Resource resource, double value) {
    return switch (resource) {
      case ENERGY -> scaled(value, "J", "mJ", "uJ");
      case MODEL_SIZE -> scaled(value / 1e6, "MB", "kB", "B");
      default -> scaled(value, "s", "ms", "us");
    };
  }

  private static String scaled(double value, String unit, String milli, String micro) {
    if (value >= 1 || value == 0) {
      return plain(value) + " " + unit;
    }
    return value >= 1e-3 ? plain(value * 1e3) + " " + milli : plain(value * 1e6) + " " + micro;
  }

  /** Four significant digits, or all before the point, never in exponent form. */
  static String plain(double value) {
    if (value == 0 || !Double.isFinite(value)) {
      return fixed(value, 3);
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(4));
    int beforePoint = rounded.precision() - rounded.scale();
    return fixed(value, Math.max(0, 4 - beforePoint));
  }

  /** The part of a cost that a budget on {@code resource} limits, in its unit. */
  static double of(Cost cost, Resource resource) {
    return switch (resource) {
      case ENERGY -> cost.getEnergyJoules();
      case MODEL_SIZE -> cost.getModelSizeBytes();
      default -> cost.getLatencySeconds();
    };
  }

  /** Such as {@code model size}. */
  static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  static String bits(boolean present, int bits) {
    return present ? Integer.toString(bits) : "float";
  }
}
