package dev.haq.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * The rows of a CSV text, commas between fields. A field may stand in double quotes, and may then
 * hold commas, line ends and, doubled, quotes (RFC 4180).
 */
final class CsvRows {
  private static final char QUOTE = '"';
  private static final char COMMA = ',';

  private final String text;
  private int at;
  private int line = 1;

  /**
   * A row that is not blank.
   *
   * @param line where it begins, from 1 on
   * @param fields without their quotes; white space around unquoted ones is stripped
   */
  record Row(int line, List<String> fields) {
    Row {
      fields = List.copyOf(fields);
    }

    @Override
    public String toString() {
      return String.join(",", fields);
    }
  }

  private CsvRows(String text) {
    this.text = text;
  }

  static List<Row> of(String text) {
    CsvRows rows = new CsvRows(text);
    List<Row> all = new ArrayList<>();
    while (rows.at < text.length()) {
      Row row = rows.row();
      if (row.fields().size() > 1 || !row.fields().get(0).isBlank()) {
        all.add(row);
      }
    }
    return all;
  }

  /** A field as it is written, in quotes where it needs them. */
  static String field(String value) {
    boolean plain =
        value.equals(value.strip())
            && value.chars().noneMatch(c -> c == COMMA || c == QUOTE || c == '\n' || c == '\r');
    return plain ? value : QUOTE + value.replace("\"", "\"\"") + QUOTE;
  }

  private Row row() {
    int first = line;
    List<String> fields = new ArrayList<>();
    do {
      fields.add(isQuoted() ? quoted() : upToComma());
    } while (take(COMMA));
    take('\r');
    take('\n');
    line++;
    return new Row(first, fields);
  }

  /** Whether quotes come next, behind white space at most. */
  private boolean isQuoted() {
    int from = at;
    while (from < text.length() && (text.charAt(from) == ' ' || text.charAt(from) == '\t')) {
      from++;
    }
    boolean quoted = from < text.length() && text.charAt(from) == QUOTE;
    at = quoted ? from + 1 : at;
    return quoted;
  }

  private String quoted() {
    StringBuilder value = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == QUOTE && !take(QUOTE)) {
        break;
      }
      line += c == '\n' ? 1 : 0;
      value.append(c);
    }
    return value + upToComma(); // nothing, where it is well formed
  }

  private String upToComma() {
    int from = at;
    while (at < text.length() && ",\r\n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    return text.substring(from, at).strip();
  }

  private boolean take(char wanted) {
    boolean there = at < text.length() && text.charAt(at) == wanted;
    at += there ? 1 : 0;
    return there;
  }
}
