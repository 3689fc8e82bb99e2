package dev.haq.cli;

import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.Operand;
import dev.haq.proto.quantizer.v1.SensitivityEntry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Operands of layers, most harmful first: by the KL divergence from the float model that an operand
 * causes, summed over the widths that were tried. It tells operands apart that cost no label on so
 * few images.
 */
final class SensitivityRanking {
  private SensitivityRanking() {}

  /**
   * @param byBits what each width does
   */
  record Row(String layer, Operand operand, Map<Integer, Accuracy> byBits) {
    private double harm() {
      return byBits.values().stream().mapToDouble(Accuracy::getKlDivergence).sum();
    }
  }

  private record Key(String layer, Operand operand) {}

  static List<Row> of(List<SensitivityEntry> entries) {
    Map<Key, Row> rows = new LinkedHashMap<>();
    for (SensitivityEntry entry : entries) {
      rows.computeIfAbsent(
              new Key(entry.getLayer(), entry.getOperand()),
              key -> new Row(key.layer(), key.operand(), new LinkedHashMap<>()))
          .byBits()
          .put(entry.getBits(), entry.getAccuracy());
    }
    return rows.values().stream().sorted(Comparator.comparingDouble(row -> -row.harm())).toList();
  }

  static String table(List<Row> ranking, Accuracy baseline, List<Integer> widths) {
    List<String> headings = new ArrayList<>(List.of("#", "<layer", "<operand"));
    widths.forEach(bits -> headings.add(bits + " bit"));
    widths.forEach(bits -> headings.add("KL " + bits));
    List<List<String>> rows = new ArrayList<>();
    for (Row row : ranking) {
      List<String> cells = new ArrayList<>();
      cells.add(Integer.toString(rows.size() + 1));
      cells.add(row.layer());
      cells.add(Figures.name(row.operand()));
      for (int bits : widths) {
        cells.add(Figures.fixed(baseline.getTop1() - row.byBits().get(bits).getTop1(), 2));
      }
      for (int bits : widths) {
        cells.add(Figures.fixed(row.byBits().get(bits).getKlDivergence(), 4));
      }
      rows.add(cells);
    }
    return Tables.of(headings, rows);
  }
}
