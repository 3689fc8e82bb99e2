package dev.haq.cli;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.wire.CostWire;
import dev.haq.wire.CsvText;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Reads a cost table that {@link OpenTable} describes, or that a spreadsheet or a script saved,
 * from CSV. Rows and columns may come in any order; layers are told by index, or by name alone.
 */
final class CsvTable {
  private static final String INDEX = "layer_index";
  private static final String WEIGHTS = "weight_bits";
  private static final String ACTIVATIONS = "activation_bits";
  private static final String NAME = "layer";

  private final Path file;
  private final CsvText.Row header;
  private final List<String> headings; // in lower case
  private final Resource resource;
  private final CsvUnit.Column cost;
  private final Map<Cell, Double> cells = new TreeMap<>();
  private final Map<Cell, Integer> lines = new TreeMap<>();
  private final Map<Integer, String> names = new TreeMap<>();
  private int batch; // 0 where the file does not say it
  private final Map<String, Integer> seen = new HashMap<>(); // by name, where there is no index

  /** Where a cell stands, in the order of the table. */
  private record Cell(int layer, int weightBits, int activationBits) implements Comparable<Cell> {
    @Override
    public int compareTo(Cell other) {
      int order = Integer.compare(layer, other.layer);
      order = order != 0 ? order : Integer.compare(weightBits, other.weightBits);
      return order != 0 ? order : Integer.compare(activationBits, other.activationBits);
    }
  }

  private CsvTable(Path file, CsvText.Row header, TableReading how) {
    this.file = file;
    this.header = header;
    if (header.fields().size() == 1 && header.toString().matches("(?s).*[;\t].*")) {
      throw HaqException.invalid(
          "%s separates its columns by %s: save it with commas between columns, and points in"
              + " numbers",
          file, header.toString().contains(";") ? "';'" : "tabs");
    }
    this.headings = header.fields().stream().map(h -> h.toLowerCase(Locale.ROOT)).toList();
    this.resource = resource(how);
    this.cost =
        how.clockHz() > 0
            ? new CsvUnit.Column(column("cycles", "or leave --clock-hz out"), "cycles", 1)
            : cost();
  }

  /** What its columns hold; where that is both, what is otherwise taken. */
  private Resource resource(TableReading how) {
    if (how.said().isPresent() || how.clockHz() > 0) {
      return how.resource();
    }
    boolean seconds = !CsvUnit.columns(headings, Resource.LATENCY).isEmpty();
    boolean joules = !CsvUnit.columns(headings, Resource.ENERGY).isEmpty();
    if (!seconds && !joules && headings.contains(OpenTable.unit(Resource.MODEL_SIZE))) {
      throw OpenTable.holdsSizes(file);
    }
    if (seconds == joules) {
      return how.otherwise();
    }
    return seconds ? Resource.LATENCY : Resource.ENERGY;
  }

  private CsvUnit.Column cost() {
    List<CsvUnit.Column> columns = CsvUnit.columns(headings, resource);
    if (columns.isEmpty()) {
      throw withoutCosts();
    }
    if (columns.size() > 1) {
      throw HaqException.invalid(
          "%s has two columns of costs, %s and %s: leave one",
          file, header.fields().get(columns.get(0).at()), header.fields().get(columns.get(1).at()));
    }
    return columns.get(0);
  }

  private HaqException withoutCosts() {
    boolean cycles = resource == Resource.LATENCY && headings.contains("cycles");
    return HaqException.invalid(
        "%s has no column %s: its columns are %s%s",
        file,
        OpenTable.unit(resource),
        header.fields(),
        cycles
            ? "; for its cycles give the clock with --clock-hz"
            : "; its heading says the unit, such as " + CsvUnit.examples(resource));
  }

  /** All but its name, unit and clock. */
  static LookupTable.Builder read(Path file, String text, TableReading how) {
    List<CsvText.Row> rows = CsvText.rows(file.toString(), text);
    if (rows.isEmpty()) {
      throw HaqException.invalid("%s is empty", file);
    }
    CsvTable table = new CsvTable(file, rows.get(0), how);
    table.read(rows.subList(1, rows.size()));
    return table.toProto();
  }

  private void read(List<CsvText.Row> rows) {
    int nameAt = find(NAME);
    int layerAt = find(INDEX);
    if (layerAt < 0 && isIndex(rows, nameAt)) {
      layerAt = nameAt;
      nameAt = -1;
    }
    if (layerAt < 0 && nameAt < 0) {
      column(INDEX, "from 0 on, or a column layer, with names");
    }
    int weightsAt = column(WEIGHTS, "");
    int activationsAt = column(ACTIVATIONS, "with 8 in every row where costs do not depend on it");
    int batchAt = find(OpenTable.BATCH);
    int last =
        IntStream.of(nameAt, layerAt, weightsAt, activationsAt, batchAt, cost.at())
            .max()
            .orElseThrow();
    for (CsvText.Row row : rows) {
      List<String> fields = row.fields();
      if (fields.size() <= last) {
        throw wrong(row);
      }
      if (layerAt >= 0 && fields.get(layerAt).equals(OpenTable.FIXED)) {
        continue; // the same for every policy
      }
      String name = nameAt < 0 ? "" : name(fields, nameAt);
      int layer = layerAt < 0 ? layer(name) : whole(row, layerAt);
      Cell cell = new Cell(layer, bits(row, weightsAt), bits(row, activationsAt));
      put(row, cell, name);
      if (batchAt >= 0) {
        sameBatch(row, whole(row, batchAt));
      }
    }
  }

  private void sameBatch(CsvText.Row row, int images) {
    if (images < 1) {
      throw HaqException.invalid(
          "%s, line %d: batch is %d: give at least 1", file, row.line(), images);
    }
    if (batch > 0 && batch != images) {
      throw HaqException.invalid(
          "%s, line %d: batch is %d, and above it is %d: a table holds the costs of one batch",
          file, row.line(), images, batch);
    }
    batch = images;
  }

  /** Whether a column of layers counts them. */
  private static boolean isIndex(List<CsvText.Row> rows, int at) {
    return at >= 0
        && rows.stream()
            .allMatch(row -> row.fields().size() > at && row.fields().get(at).matches("[0-9]+"));
  }

  /** The last column's may hold commas without quotes. */
  private String name(List<String> fields, int at) {
    return at == headings.size() - 1
        ? String.join(",", fields.subList(at, fields.size()))
        : fields.get(at);
  }

  /** Layers without an index are counted as their names come. */
  private int layer(String name) {
    int next = seen.size();
    return seen.computeIfAbsent(name, n -> next);
  }

  private void put(CsvText.Row row, Cell cell, String name) {
    double value = number(row, cost.at());
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw HaqException.invalid(
          "%s, line %d: %s is %s: every cost must be a finite number of at least 0",
          file, row.line(), cost.unit(), value);
    }
    Integer first = lines.putIfAbsent(cell, row.line());
    if (first != null) {
      throw HaqException.invalid(
          "%s, line %d: a second cost of %s, after line %d: leave one",
          file, row.line(), text(cell), first);
    }
    cells.put(cell, value / cost.perUnit());
    if (!name.isEmpty()) {
      String other = names.putIfAbsent(cell.layer(), name);
      if (other != null && !other.equals(name)) {
        throw HaqException.invalid(
            "%s, line %d: layer_index %d is %s, and above it is %s",
            file, row.line(), cell.layer(), name, other);
      }
    }
  }

  private double number(CsvText.Row row, int at) {
    try {
      return Double.parseDouble(row.fields().get(at));
    } catch (NumberFormatException e) {
      throw wrong(row);
    }
  }

  /** Also one that was saved with a fraction of 0. */
  private int whole(CsvText.Row row, int at) {
    double number = number(row, at);
    if (number != Math.rint(number) || Math.abs(number) > Integer.MAX_VALUE) {
      throw wrong(row);
    }
    return (int) number;
  }

  private int bits(CsvText.Row row, int at) {
    int bits = whole(row, at);
    if (bits < 1 || bits > BitWidth.WIDEST) {
      throw HaqException.invalid(
          "%s, line %d: %s is %d: a table holds widths of 1 to %d bits; leave other rows out",
          file, row.line(), headings.get(at), bits, BitWidth.WIDEST);
    }
    return bits;
  }

  private HaqException wrong(CsvText.Row row) {
    return HaqException.invalid(
        "%s, line %d: '%s' has not the numbers that %s asks for", file, row.line(), row, header);
  }

  private LookupTable.Builder toProto() {
    if (cells.isEmpty()) {
      throw HaqException.invalid("%s has no costs: give a row for every layer and width", file);
    }
    List<Integer> layers = cells.keySet().stream().map(Cell::layer).distinct().toList();
    List<Integer> weights =
        cells.keySet().stream().map(Cell::weightBits).distinct().sorted().toList();
    List<Integer> activations =
        cells.keySet().stream().map(Cell::activationBits).distinct().sorted().toList();
    if (layers.get(0) != 0) {
      throw HaqException.invalid(
          "%s: the first layer_index is %d: count layers from 0 on", file, layers.get(0));
    }
    for (int layer = 0; layer <= layers.get(layers.size() - 1); layer++) {
      for (int w : weights) {
        for (int a : activations) {
          checkThere(new Cell(layer, w, a), weights, activations);
        }
      }
    }
    return LookupTable.newBuilder()
        .setResource(CostWire.toProto(resource))
        .setBatch(batch)
        .setLayers(layers.size())
        .addAllLayerNames(names.values())
        .setWeightBits(BitChoices.newBuilder().addAllBits(weights))
        .setActivationBits(BitChoices.newBuilder().addAllBits(activations))
        .addAllValues(cells.values());
  }

  private void checkThere(Cell cell, List<Integer> weights, List<Integer> activations) {
    if (!cells.containsKey(cell)) {
      throw HaqException.invalid(
          "%s has %d cells, and none for %s: every layer needs weights of %s with activations of %s"
              + " bits; add what is missing, or leave widths out",
          file, cells.size(), text(cell), weights, activations);
    }
  }

  private String text(Cell cell) {
    String name = names.get(cell.layer());
    return "layer_index %d%s at W%dA%d"
        .formatted(
            cell.layer(),
            name == null ? "" : " (" + name + ")",
            cell.weightBits(),
            cell.activationBits());
  }

  private int column(String heading, String hint) {
    int at = find(heading);
    if (at < 0) {
      throw HaqException.invalid(
          "%s has no column %s: its columns are %s%s",
          file, heading, header.fields(), hint.isEmpty() ? "" : "; give it, " + hint);
    }
    return at;
  }

  /** Where a column is, of which there may be one; -1 where there is none. */
  private int find(String heading) {
    int first = headings.indexOf(heading);
    int last = headings.lastIndexOf(heading);
    if (first != last) {
      throw HaqException.invalid(
          "%s has two columns %s, the %s and the %s: leave one",
          file, heading, nth(first), nth(last));
    }
    return first;
  }

  private static String nth(int at) {
    int count = at + 1;
    boolean teen = count % 100 / 10 == 1;
    return count
        + switch (teen ? 0 : count % 10) {
          case 1 -> "st";
          case 2 -> "nd";
          case 3 -> "rd";
          default -> "th";
        };
  }
}
