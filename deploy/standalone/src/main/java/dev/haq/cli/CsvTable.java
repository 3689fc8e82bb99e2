package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.wire.CostWire;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads a cost table that {@link OpenTable} describes, or that a spreadsheet saved, from CSV. */
final class CsvTable {
  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private final Path file;
  private final List<String> header;
  private final Resource resource;
  private final String unit;
  private final Map<Cell, Double> cells = new TreeMap<>();
  private final Map<Integer, String> names = new TreeMap<>();

  /** Where a cell stands, in the order of the table. */
  private record Cell(int layer, int weightBits, int activationBits) implements Comparable<Cell> {
    @Override
    public int compareTo(Cell other) {
      int order = Integer.compare(layer, other.layer);
      order = order != 0 ? order : Integer.compare(weightBits, other.weightBits);
      return order != 0 ? order : Integer.compare(activationBits, other.activationBits);
    }
  }

  private CsvTable(Path file, String headings, TableReading how) {
    this.file = file;
    this.header = List.of(headings.split(",", -1)).stream().map(String::strip).toList();
    if (header.size() == 1 && headings.matches(".*[;\t].*")) {
      throw HaqException.invalid(
          "%s separates its columns by '%s': save it with commas between columns, and points in"
              + " numbers",
          file, headings.contains(";") ? ";" : "tabs");
    }
    this.resource = resource(how);
    this.unit = how.clockHz() > 0 ? "cycles" : OpenTable.unit(resource);
  }

  /** What its columns hold; where that is both, what is otherwise taken. */
  private Resource resource(TableReading how) {
    if (how.said().isPresent() || how.clockHz() > 0) {
      return how.resource();
    }
    boolean seconds = header.contains(OpenTable.unit(Resource.LATENCY));
    boolean joules = header.contains(OpenTable.unit(Resource.ENERGY));
    if (!seconds && !joules && header.contains(OpenTable.unit(Resource.MODEL_SIZE))) {
      throw OpenTable.holdsSizes(file);
    }
    if (seconds == joules) {
      return how.otherwise();
    }
    return seconds ? Resource.LATENCY : Resource.ENERGY;
  }

  /** All but its name, unit, clock and batch. */
  static LookupTable.Builder read(Path file, String text, TableReading how) {
    List<String> lines =
        (text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text).lines().toList();
    CsvTable table = new CsvTable(file, lines.isEmpty() ? "" : lines.get(0), how);
    table.read(lines);
    return table.toProto();
  }

  private void read(List<String> lines) {
    int layerAt = column("layer_index");
    int weightsAt = column("weight_bits");
    int activationsAt = column("activation_bits");
    int valueAt = column(unit);
    int nameAt = header.indexOf("layer");
    for (int i = 1; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) {
        continue;
      }
      String[] fields = lines.get(i).split(",", header.size());
      if (fields[layerAt].strip().equals(OpenTable.FIXED)) {
        continue; // the same for every policy
      }
      try {
        int layer = Integer.parseInt(fields[layerAt].strip());
        Cell cell =
            new Cell(
                layer,
                Integer.parseInt(fields[weightsAt].strip()),
                Integer.parseInt(fields[activationsAt].strip()));
        put(i + 1, cell, Double.parseDouble(fields[valueAt].strip()));
        if (nameAt >= 0) {
          names.put(layer, fields[nameAt].strip());
        }
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw HaqException.invalid(
            "%s, line %d: '%s' has not the numbers that %s asks for",
            file, i + 1, lines.get(i), String.join(",", header));
      }
    }
  }

  private void put(int line, Cell cell, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw HaqException.invalid(
          "%s, line %d: %s is %s: every cost must be a finite number of at least 0",
          file, line, unit, value);
    }
    if (cells.put(cell, value) != null) {
      throw HaqException.invalid("%s, line %d: a second %s", file, line, cell);
    }
  }

  private LookupTable.Builder toProto() {
    List<Integer> layers = cells.keySet().stream().map(Cell::layer).distinct().toList();
    List<Integer> weights =
        cells.keySet().stream().map(Cell::weightBits).distinct().sorted().toList();
    List<Integer> activations =
        cells.keySet().stream().map(Cell::activationBits).distinct().sorted().toList();
    int wanted = layers.size() * weights.size() * activations.size();
    boolean gaps = !layers.isEmpty() && layers.get(layers.size() - 1) != layers.size() - 1;
    if (wanted == 0 || gaps || cells.size() != wanted) {
      throw HaqException.invalid(
          "%s has %d cells, but every layer_index from 0 on needs weights of %s with activations of %s bits",
          file, cells.size(), weights, activations);
    }
    return LookupTable.newBuilder()
        .setResource(CostWire.toProto(resource))
        .setLayers(layers.size())
        .addAllLayerNames(names.values())
        .setWeightBits(BitChoices.newBuilder().addAllBits(weights))
        .setActivationBits(BitChoices.newBuilder().addAllBits(activations))
        .addAllValues(cells.values());
  }

  private int column(String name) {
    int at = header.indexOf(name);
    if (at < 0) {
      throw HaqException.invalid("%s has no column %s: its columns are %s", file, name, header);
    }
    return at;
  }
}
