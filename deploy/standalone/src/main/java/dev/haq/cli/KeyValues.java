package dev.haq.cli;

import dev.haq.model.HaqException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a repeatable option {@code KEY=VALUE} says: each key once. */
final class KeyValues {
  private KeyValues() {}

  /**
   * In the order they were given.
   *
   * @param option for errors
   * @param form what it takes, with an example, for errors
   */
  static Map<String, String> of(String option, String form, List<String> texts) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String text : texts) {
      int equals = text.indexOf('=');
      if (equals < 1) {
        throw HaqException.invalid("%s %s: give %s", option, text, form);
      }
      String key = text.substring(0, equals);
      String before = values.put(key, text.substring(equals + 1));
      if (before != null) {
        throw HaqException.invalid(
            "%s %s: %s was given before, as %s=%s: leave one", option, text, key, key, before);
      }
    }
    return values;
  }
}
