package dev.haq.wire;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Tables in CSV, all in one dialect: RFC 4180 in UTF-8, lines that end with LF alone, quotes only
 * where a field needs them. Read are also other line ends, a byte order mark, white space around
 * fields, blank lines, and comments: lines that begin with {@code #}.
 */
public final class CsvText {
  private static final String COMMENT = "#";
  private static final CSVFormat FORMAT =
      CSVFormat.DEFAULT
          .builder()
          .setRecordSeparator('\n')
          .setIgnoreSurroundingSpaces(true)
          .setIgnoreEmptyLines(false) // left out here, so that lines can be counted
          .get();
  private static final CSVFormat COMMENTED =
      FORMAT.builder().setCommentMarker(COMMENT.charAt(0)).get();

  private CsvText() {}

  /**
   * A row that is not blank.
   *
   * @param line where it begins, from 1 on
   * @param fields without their quotes; white space around unquoted ones is stripped
   */
  public record Row(int line, List<String> fields) {
    public Row {
      fields = List.copyOf(fields);
    }

    @Override
    public String toString() {
      return String.join(",", fields);
    }
  }

  /** A table to be written, a row for each of these and no columns yet. */
  public static <T> Table<T> of(List<T> rows) {
    return new Table<>(rows);
  }

  /** Rows of which each column says a cell. */
  public static final class Table<T> {
    private final List<T> rows;
    private final List<String> headings = new ArrayList<>();
    private final List<Function<T, ?>> cells = new ArrayList<>();

    private Table(List<T> rows) {
      this.rows = List.copyOf(rows);
    }

    /**
     * Adds a column.
     *
     * @param cell of a row, written as its {@code toString} says
     */
    public Table<T> column(String heading, Function<T, ?> cell) {
      headings.add(heading);
      cells.add(cell);
      return this;
    }

    public String text() {
      StringBuilder text = new StringBuilder();
      try {
        FORMAT.printRecord(text, headings.toArray());
        for (T row : rows) {
          FORMAT.printRecord(text, cells.stream().map(cell -> (Object) cell.apply(row)).toArray());
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e); // memory throws none
      }
      return text.toString();
    }
  }

  /**
   * The rows of a text, its headings the first.
   *
   * @param origin the file's name, for messages
   * @throws HaqException INVALID_ARGUMENT that names the line where a field's quotes are wrong
   */
  public static List<Row> rows(String origin, String text) {
    List<Row> rows = new ArrayList<>();
    String content = Utf8Text.withoutMark(text);
    List<String> lines = content.lines().toList();
    int line = afterComments(lines, 1);
    try (CSVParser parser = CSVParser.parse(content, COMMENTED)) {
      for (CSVRecord record : parser) {
        if (record.size() > 1 || !record.get(0).isBlank()) {
          rows.add(new Row(line, record.toList()));
        }
        line = afterComments(lines, (int) parser.getCurrentLineNumber() + 1);
      }
    } catch (IOException | UncheckedIOException e) {
      throw new HaqException(
          Reason.INVALID_ARGUMENT,
          "%s, line %d: a field begins with a quote and does not end with one: close it, and double quotes within"
              .formatted(origin, line),
          e);
    }
    return rows;
  }

  /** The line at which a row begins: this one, or the first below that is no comment. */
  private static int afterComments(List<String> lines, int line) {
    int at = line;
    while (at <= lines.size() && lines.get(at - 1).startsWith(COMMENT)) {
      at++;
    }
    return at;
  }
}
