package dev.haq.cli;

import dev.haq.model.Budget;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Budgets as people write them: a ratio such as {@code 0.6}, or a number with its unit. */
final class BudgetText {
  private record Unit(Resource resource, double scale) {}

  private static final Pattern NUMBER =
      Pattern.compile("\\s*([0-9]*\\.?[0-9]+(?:[eE][+-]?[0-9]+)?)\\s*([A-Za-z%]*)\\s*");

  /** SI units; a byte is 8 bits, KB, MB and GB are powers of 1000. */
  private static final Map<String, Unit> UNITS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("s", new Unit(Resource.LATENCY, 1)),
              Map.entry("ms", new Unit(Resource.LATENCY, 1e-3)),
              Map.entry("us", new Unit(Resource.LATENCY, 1e-6)),
              Map.entry("J", new Unit(Resource.ENERGY, 1)),
              Map.entry("mJ", new Unit(Resource.ENERGY, 1e-3)),
              Map.entry("uJ", new Unit(Resource.ENERGY, 1e-6)),
              Map.entry("B", new Unit(Resource.MODEL_SIZE, 1)),
              Map.entry("KB", new Unit(Resource.MODEL_SIZE, 1e3)),
              Map.entry("kB", new Unit(Resource.MODEL_SIZE, 1e3)),
              Map.entry("MB", new Unit(Resource.MODEL_SIZE, 1e6)),
              Map.entry("GB", new Unit(Resource.MODEL_SIZE, 1e9)),
              Map.entry("KiB", new Unit(Resource.MODEL_SIZE, 1024)),
              Map.entry("MiB", new Unit(Resource.MODEL_SIZE, 1024 * 1024)),
              Map.entry("GiB", new Unit(Resource.MODEL_SIZE, 1024 * 1024 * 1024))));

  private BudgetText() {}

  /**
   * @param resource what {@code --resource} said, or null to take it from the unit (latency without
   *     one)
   */
  static Budget parse(String text, Resource resource) {
    return parse("--budget", text, resource);
  }

  /**
   * An amount of time, such as {@code 12ms}.
   *
   * @param option that the user gave it with, for errors
   */
  static double seconds(String option, String text) {
    Budget budget = parse(option, text, Resource.LATENCY);
    if (budget.kind() != Budget.Kind.ABSOLUTE) {
      throw HaqException.invalid("%s %s: add a unit, s, ms or us", option, text);
    }
    return budget.value();
  }

  /**
   * @param option that the user gave it with, for errors
   * @param resource that it limits, or null to take it from the unit (latency without one)
   */
  static Budget parse(String option, String text, Resource resource) {
    Matcher matcher = NUMBER.matcher(text);
    if (!matcher.matches()) {
      throw HaqException.invalid(
          "%s %s: give a ratio such as 0.6, or a number with a unit of %s",
          option, text, UNITS.keySet());
    }
    double value = Double.parseDouble(matcher.group(1));
    if (!(value > 0) || Double.isInfinite(value)) {
      throw HaqException.invalid("%s %s: a limit is a finite number above 0", option, text);
    }
    String unitName = matcher.group(2);
    if (unitName.isEmpty() || unitName.equals("%")) {
      double ratio = unitName.isEmpty() ? value : value / 100;
      if (ratio > 1) {
        throw HaqException.invalid(
            "%s %s: a ratio is above 0 and at most 1; for an absolute budget add a unit of %s",
            option, text, UNITS.keySet());
      }
      return Budget.ratio(resource == null ? Resource.LATENCY : resource, ratio);
    }
    Unit unit = UNITS.get(unitName);
    if (unit == null) {
      throw HaqException.invalid(
          "%s %s: there is no unit '%s': use one of %s", option, text, unitName, UNITS.keySet());
    }
    if (resource != null && resource != unit.resource()) {
      throw HaqException.invalid(
          "%s %s: %s is not a unit of %s",
          option,
          text,
          unitName,
          resource.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
    }
    return Budget.absolute(unit.resource(), value * unit.scale());
  }
}
