package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.CostTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Cost tables that any program reads: CSV, one row a cell, and JSON, a CostTable message.
 *
 * <p>The CSV columns are {@code layer_index}, {@code weight_bits}, {@code activation_bits}, {@code
 * cycles} where there is a clock, {@code seconds}, {@code joules} or {@code bytes}, and last {@code
 * layer}, the name, which may hold commas.
 */
final class OpenTable {
  private OpenTable() {}

  /** Whether a target is such a table: a .csv file, or a .json file with values. */
  static boolean is(String target) {
    String name = target.toLowerCase(Locale.ROOT);
    return name.endsWith(".csv") || (name.endsWith(".json") && hasValues(Path.of(target)));
  }

  private static boolean hasValues(Path file) {
    try {
      return Json.tree(Files.readString(file)).has("values");
    } catch (IOException | HaqException e) {
      return false; // whoever reads it next says what is wrong
    }
  }

  /**
   * Reads a measured table.
   *
   * @param clockHz above 0 to read the column {@code cycles}
   * @param batch images in the measured batch; 0 for one
   */
  static LookupTable read(Path file, Resource resource, double clockHz, int batch) {
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw HaqException.invalid("%s cannot be read: %s", file, e.getMessage());
    }
    LookupTable.Builder table =
        file.toString().toLowerCase(Locale.ROOT).endsWith(".csv")
            ? csv(file, text, resource, clockHz)
            : json(file, text, resource);
    return table
        .setName(file.getFileName().toString())
        .setResource(ResourceOption.toProto(resource))
        .setBatch(batch)
        .build();
  }

  private static LookupTable.Builder json(Path file, String text, Resource resource) {
    JsonNode tree = Json.tree(text);
    CostTable table = Json.parse(tree.toString(), CostTable.newBuilder()).build();
    if (table.getResource() != ResourceOption.toProto(resource)) {
      throw HaqException.invalid(
          "%s holds %s, but %s is wanted", file, table.getResource(), resource);
    }
    return LookupTable.newBuilder()
        .setLayers(table.getLayersCount())
        .addAllLayerNames(table.getLayersList())
        .setWeightBits(table.getWeightBits())
        .setActivationBits(table.getActivationBits())
        .addAllValues(table.getValuesList());
  }

  /** Where a cell stands, in the order of the table. */
  private record Cell(int layer, int weightBits, int activationBits) implements Comparable<Cell> {
    @Override
    public int compareTo(Cell other) {
      int order = Integer.compare(layer, other.layer);
      order = order != 0 ? order : Integer.compare(weightBits, other.weightBits);
      return order != 0 ? order : Integer.compare(activationBits, other.activationBits);
    }
  }

  private static LookupTable.Builder csv(
      Path file, String text, Resource resource, double clockHz) {
    List<String> lines = text.lines().filter(line -> !line.isBlank()).toList();
    List<String> header = lines.isEmpty() ? List.of() : List.of(lines.get(0).split(",", -1));
    int layerAt = column(file, header, "layer_index");
    int weightsAt = column(file, header, "weight_bits");
    int activationsAt = column(file, header, "activation_bits");
    int valueAt = column(file, header, clockHz > 0 ? "cycles" : unit(resource));
    int nameAt = header.indexOf("layer");
    Map<Cell, Double> cells = new TreeMap<>();
    Map<Integer, String> names = new TreeMap<>();
    for (int i = 1; i < lines.size(); i++) {
      String[] fields = lines.get(i).split(",", header.size());
      try {
        int layer = Integer.parseInt(fields[layerAt].strip());
        Cell cell =
            new Cell(
                layer,
                Integer.parseInt(fields[weightsAt].strip()),
                Integer.parseInt(fields[activationsAt].strip()));
        if (cells.put(cell, Double.parseDouble(fields[valueAt].strip())) != null) {
          throw HaqException.invalid("%s, line %d: a second %s", file, i + 1, cell);
        }
        if (nameAt >= 0) {
          names.put(layer, fields[nameAt]);
        }
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw HaqException.invalid(
            "%s, line %d: '%s' has not the numbers that %s asks for",
            file, i + 1, lines.get(i), lines.get(0));
      }
    }
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
        .setLayers(layers.size())
        .addAllLayerNames(names.values())
        .setWeightBits(BitChoices.newBuilder().addAllBits(weights))
        .setActivationBits(BitChoices.newBuilder().addAllBits(activations))
        .addAllValues(cells.values())
        .setUnit(clockHz > 0 ? LookupTable.Unit.CYCLES : LookupTable.Unit.SI)
        .setClockHz(clockHz);
  }

  private static int column(Path file, List<String> header, String name) {
    int at = header.indexOf(name);
    if (at < 0) {
      throw HaqException.invalid("%s has no column %s: its columns are %s", file, name, header);
    }
    return at;
  }

  static void write(Path file, CostTable table) {
    try {
      Path folder = file.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      boolean csv = file.toString().toLowerCase(Locale.ROOT).endsWith(".csv");
      Files.writeString(file, (csv ? csv(table) : Json.text(Json.tree(table))) + "\n");
    } catch (IOException e) {
      throw HaqException.invalid("--out %s cannot be written: %s", file, e.getMessage());
    }
  }

  private static String csv(CostTable table) {
    boolean clocked = table.getCyclesCount() > 0;
    Resource resource =
        switch (table.getResource()) {
          case ENERGY -> Resource.ENERGY;
          case MODEL_SIZE -> Resource.MODEL_SIZE;
          default -> Resource.LATENCY;
        };
    List<String> lines = new ArrayList<>();
    lines.add(
        "layer_index,weight_bits,activation_bits,"
            + (clocked ? "cycles," : "")
            + unit(resource)
            + ",layer");
    int cell = 0;
    for (int layer = 0; layer < table.getLayersCount(); layer++) {
      for (int weights : table.getWeightBits().getBitsList()) {
        for (int activations : table.getActivationBits().getBitsList()) {
          lines.add(
              layer
                  + ","
                  + weights
                  + ","
                  + activations
                  + ","
                  + (clocked ? table.getCycles(cell) + "," : "")
                  + table.getValues(cell)
                  + ","
                  + table.getLayers(layer));
          cell++;
        }
      }
    }
    return String.join("\n", lines);
  }

  private static String unit(Resource resource) {
    return switch (resource) {
      case LATENCY -> "seconds";
      case ENERGY -> "joules";
      case MODEL_SIZE -> "bytes";
    };
  }
}
