package dev.haq.cli;

import java.util.Iterator;
import java.util.function.Predicate;

/**
 * Splits the lines of an event stream into events, as the WHATWG HTML standard says (section 9.2.6,
 * "Interpreting an event stream"); ids and retry times are left to the caller, comments dropped.
 */
final class SseReader {
  /**
   * One event.
   *
   * @param type the {@code event:} field, {@code message} when there was none
   * @param data the {@code data:} fields, joined by line ends
   */
  record Event(String type, String data) {}

  private SseReader() {}

  /**
   * Hands over each complete event until the lines end or {@code more} answers false.
   *
   * @return whether {@code more} ended it
   */
  static boolean read(Iterator<String> lines, Predicate<Event> more) {
    String type = "message";
    StringBuilder data = null;
    while (lines.hasNext()) {
      String line = lines.next();
      if (line.isEmpty()) {
        if (data != null && !more.test(new Event(type, data.toString()))) {
          return true;
        }
        type = "message";
        data = null;
      } else if (line.startsWith("event:")) {
        type = value(line, "event:");
      } else if (line.startsWith("data:")) {
        data = data == null ? new StringBuilder() : data.append('\n');
        data.append(value(line, "data:"));
      }
    }
    return false;
  }

  private static String value(String line, String field) {
    String value = line.substring(field.length());
    return value.startsWith(" ") ? value.substring(1) : value;
  }
}
