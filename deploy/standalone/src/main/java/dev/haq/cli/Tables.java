package dev.haq.cli;

import com.github.freva.asciitable.AsciiTable;
import com.github.freva.asciitable.Column;
import com.github.freva.asciitable.HorizontalAlign;
import java.util.List;
import java.util.stream.Collectors;

/** Rows under headings, numbers to the right, without lines between: good to read and to grep. */
final class Tables {
  /** Between columns two spaces, below the headings a rule, nothing else. */
  private static final Character[] BORDERS = borders();

  private Tables() {}

  /**
   * @param headings a heading that starts with '&lt;' has a column aligned left
   */
  static String of(List<String> headings, List<List<String>> rows) {
    Column[] columns =
        headings.stream()
            .map(
                heading -> {
                  boolean left = heading.startsWith("<");
                  HorizontalAlign align = left ? HorizontalAlign.LEFT : HorizontalAlign.RIGHT;
                  return new Column()
                      .header(left ? heading.substring(1) : heading)
                      .headerAlign(align)
                      .dataAlign(align)
                      .maxWidth(200);
                })
            .toArray(Column[]::new);
    Object[][] data = rows.stream().map(List::toArray).toArray(Object[][]::new);
    String table =
        AsciiTable.builder().lineSeparator("\n").border(BORDERS).data(columns, data).asString();
    // Each cell comes with a space on both sides.
    return table
        .lines()
        .map(line -> line.substring(1).stripTrailing())
        .collect(Collectors.joining("\n"));
  }

  private static Character[] borders() {
    Character[] borders = AsciiTable.BASIC_ASCII_NO_DATA_SEPARATORS_NO_OUTSIDE_BORDER.clone();
    for (int i = 0; i < borders.length; i++) {
      if (borders[i] != null) {
        borders[i] = borders[i] == '|' ? Character.valueOf(' ') : Character.valueOf('-');
      }
    }
    return borders;
  }
}
