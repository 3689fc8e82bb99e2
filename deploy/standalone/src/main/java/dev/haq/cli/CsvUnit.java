package dev.haq.cli;

import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Headings of costs in a CSV table: a unit by itself, such as {@code ms}, or behind what it
 * measures, such as {@code latency_ms}. A single letter by itself is none: it may as well be a
 * stride.
 */
final class CsvUnit {
  /** How many of a unit, in lower case, make a second or a joule. */
  private static final Map<Resource, Map<String, Double>> PER_UNIT =
      Map.of(
          Resource.LATENCY, Map.of("seconds", 1.0, "s", 1.0, "ms", 1e3, "us", 1e6, "ns", 1e9),
          Resource.ENERGY,
              Map.of("joules", 1.0, "j", 1.0, "mj", 1e3, "uj", 1e6, "nj", 1e9, "pj", 1e12),
          Resource.MODEL_SIZE, Map.of());

  private static final Map<Resource, Set<String>> MEASURES =
      Map.of(
          Resource.LATENCY, Set.of("latency", "time"),
          Resource.ENERGY, Set.of("energy"),
          Resource.MODEL_SIZE, Set.of());

  private CsvUnit() {}

  /**
   * A column of costs.
   *
   * @param unit as its heading says it
   * @param perUnit how many of it make a second or a joule
   */
  record Column(int at, String unit, double perUnit) {}

  /**
   * The columns that hold a resource; a table should have one.
   *
   * @param headings in lower case
   */
  static List<Column> columns(List<String> headings, Resource resource) {
    List<Column> columns = new ArrayList<>();
    for (int at = 0; at < headings.size(); at++) {
      Double perUnit = PER_UNIT.get(resource).get(unit(headings.get(at), resource));
      if (perUnit != null) {
        columns.add(new Column(at, headings.get(at), perUnit));
      }
    }
    return columns;
  }

  private static String unit(String heading, Resource resource) {
    int end = heading.indexOf('_');
    if (end >= 0 && MEASURES.get(resource).contains(heading.substring(0, end))) {
      return heading.substring(end + 1);
    }
    return heading.length() == 1 ? "" : heading;
  }

  /** For messages. */
  static String examples(Resource resource) {
    return resource == Resource.ENERGY
        ? "joules, mJ, uJ or energy_mj"
        : "seconds, ms, us or latency_ms";
  }
}
