package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.model.v1.CostTable;
import dev.haq.wire.CostWire;
import dev.haq.wire.CsvText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Cost tables that any program reads: CSV, one row a cell, and JSON, a CostTable message.
 *
 * <p>The CSV columns are {@code layer_index}, {@code weight_bits}, {@code activation_bits}, {@link
 * #BATCH}, the images in the batch that the costs are for, the same in every row, {@code cycles}
 * where there is a clock, {@code seconds}, {@code joules} or {@code bytes}, and last {@code layer},
 * the name, in quotes where it holds a comma. A table of sizes has no batch; what it has beside its
 * cells, which every policy pays, is a last row with {@link #FIXED} in place of a layer's index.
 */
final class OpenTable {
  static final String FIXED = "fixed";
  static final String BATCH = "batch";

  private OpenTable() {}

  /** Whether a target is such a table: a .csv file, or a .json file with values. */
  static boolean is(String target) {
    String name = target.toLowerCase(Locale.ROOT);
    return name.endsWith(".csv") || (name.endsWith(".json") && hasValues(Path.of(target)));
  }

  private static boolean hasValues(Path file) {
    try {
      return Json.tree(TextFile.read(file.toString(), file)).has("values");
    } catch (HaqException e) {
      return false; // whoever reads it next says what is wrong
    }
  }

  /**
   * Reads a measured table.
   *
   * @throws HaqException INVALID_ARGUMENT that names the file, and the line of a .csv
   */
  static LookupTable read(Path file, TableReading how) {
    String text = TextFile.read(file.toString(), file);
    LookupTable.Builder table =
        file.toString().toLowerCase(Locale.ROOT).endsWith(".csv")
            ? CsvTable.read(file, text, how)
            : json(file, text, how);
    boolean cycles = how.clockHz() > 0;
    return table
        .setName(file.getFileName().toString())
        .setUnit(cycles ? LookupTable.Unit.CYCLES : LookupTable.Unit.SI)
        .setClockHz(how.clockHz())
        .setBatch(batch(file, table.getBatch(), how.batch()))
        .build();
  }

  /**
   * @param held what the file says, 0 for nothing
   * @param said what the user says, 0 for nothing
   */
  private static int batch(Path file, int held, int said) {
    if (held > 0 && said > 0 && held != said) {
      throw HaqException.invalid(
          "%s says that its batch is %d, and --table-batch is %d: leave --table-batch out, or mend"
              + " the file; where another table needs it, write that as .csv with a column batch",
          file, held, said);
    }
    return held > 0 ? held : said;
  }

  private static LookupTable.Builder json(Path file, String text, TableReading how) {
    CostTable table = Json.parseFile(file, text, "a cost table", CostTable.newBuilder()).build();
    Resource resource =
        switch (table.getResource()) {
          case LATENCY -> Resource.LATENCY;
          case ENERGY -> Resource.ENERGY;
          case MODEL_SIZE -> throw holdsSizes(file);
          case RESOURCE_UNSPECIFIED, UNRECOGNIZED -> how.resource();
        };
    if (!resource.equals(how.said().orElse(resource))) {
      throw HaqException.invalid(
          "%s holds %s, and --table-resource says %s", file, resource, how.resource());
    }
    boolean cycles = how.clockHz() > 0;
    List<Double> values = cycles ? table.getCyclesList() : table.getValuesList();
    int cells =
        table.getLayersCount()
            * table.getWeightBits().getBitsCount()
            * table.getActivationBits().getBitsCount();
    if (cells == 0 || values.size() != cells) {
      throw HaqException.invalid(
          "%s is not a cost table: it has %d %s for %d layers, weights of %s and activations of %s"
              + " bits",
          file,
          values.size(),
          cycles ? "cycles" : "values",
          table.getLayersCount(),
          table.getWeightBits().getBitsList(),
          table.getActivationBits().getBitsList());
    }
    if (table.getBatch() < 0) {
      throw HaqException.invalid(
          "%s says that its batch is %d: give at least 1", file, table.getBatch());
    }
    return LookupTable.newBuilder()
        .setResource(CostWire.toProto(resource))
        .setBatch(table.getBatch())
        .setLayers(table.getLayersCount())
        .addAllLayerNames(table.getLayersList())
        .setWeightBits(table.getWeightBits())
        .setActivationBits(table.getActivationBits())
        .addAllValues(values);
  }

  static HaqException holdsSizes(Path file) {
    return HaqException.invalid(
        "%s holds model sizes, which need no table: every target knows them", file);
  }

  static void write(Path file, CostTable table) {
    boolean csv = file.toString().toLowerCase(Locale.ROOT).endsWith(".csv");
    OutFile.write(file, csv ? csv(table) : Json.text(Json.tree(table)) + "\n");
  }

  private static String csv(CostTable table) {
    boolean clocked = table.getCyclesCount() > 0;
    Resource resource =
        switch (table.getResource()) {
          case ENERGY -> Resource.ENERGY;
          case MODEL_SIZE -> Resource.MODEL_SIZE;
          default -> Resource.LATENCY;
        };
    List<Cell> cells = new ArrayList<>();
    for (int layer = 0; layer < table.getLayersCount(); layer++) {
      for (int weights : table.getWeightBits().getBitsList()) {
        for (int activations : table.getActivationBits().getBitsList()) {
          int at = cells.size();
          Object cycles = clocked ? table.getCycles(at) : "";
          cells.add(
              new Cell(
                  layer,
                  weights,
                  activations,
                  cycles,
                  table.getValues(at),
                  table.getLayers(layer)));
        }
      }
    }
    if (table.getFixed() > 0) {
      cells.add(new Cell(FIXED, "", "", "", table.getFixed(), ""));
    }
    CsvText.Table<Cell> csv =
        CsvText.of(cells)
            .column("layer_index", Cell::layer)
            .column("weight_bits", Cell::weightBits)
            .column("activation_bits", Cell::activationBits);
    if (table.getBatch() > 0) {
      csv.column(BATCH, cell -> table.getBatch());
    }
    if (clocked) {
      csv.column("cycles", Cell::cycles);
    }
    return csv.column(unit(resource), Cell::value).column("layer", Cell::name).text();
  }

  /** A row; what it has not is empty. */
  private record Cell(
      Object layer,
      Object weightBits,
      Object activationBits,
      Object cycles,
      double value,
      String name) {}

  static String unit(Resource resource) {
    return switch (resource) {
      case LATENCY -> "seconds";
      case ENERGY -> "joules";
      case MODEL_SIZE -> "bytes";
    };
  }
}
