package dev.haq.cli;

import dev.haq.model.BitWidth;
import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.CostTable;
import dev.haq.wire.CostWire;
import dev.haq.wire.NpyFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Cost tables as files: in the published layout, a {@code .npy} array [layer][w-1][a-1]; as {@code
 * .csv}, one row a cell; or as {@code .json}, a CostTable message.
 */
final class TableFile {
  private static final int AXES = 3;

  private TableFile() {}

  static boolean is(String target) {
    return target.toLowerCase(Locale.ROOT).endsWith(".npy") || OpenTable.is(target);
  }

  /** Whether a table can be written under this name. */
  static boolean canWrite(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return List.of(".npy", ".csv", ".json").stream().anyMatch(lower::endsWith);
  }

  /**
   * Reads a measured table. An array of int64 holds cycles; float64 are cycles where a clock is
   * given, else in the resource's unit.
   *
   * @param name the file's
   */
  static LookupTable read(String name, TableReading how) {
    Path file = Path.of(name);
    if (!Files.isRegularFile(file)) {
      throw HaqException.invalid("%s: there is no such file", name);
    }
    if (OpenTable.is(name)) {
      return OpenTable.read(file, how);
    }
    NpyFile array;
    try {
      array = NpyFile.parse(name, Files.readAllBytes(file));
    } catch (IOException e) {
      throw HaqException.invalid("%s cannot be read: %s", name, FileFault.why(e));
    }
    List<Integer> shape = array.shape();
    if (shape.size() != AXES || shape.contains(0)) {
      throw HaqException.invalid("%s has shape %s: expected [layer][w-1][a-1]", name, shape);
    }
    if (shape.get(2) == 1) {
      throw HaqException.invalid(
          "%s has shape %s, whose one column would be activations of 1 bit: say in a .csv which"
              + " width it is",
          name, shape);
    }
    if (Math.max(shape.get(1), shape.get(2)) > BitWidth.WIDEST) {
      throw HaqException.invalid(
          "%s has shape %s: widths go up to %d bits, [layer][w-1][a-1]",
          name, shape, BitWidth.WIDEST);
    }
    checkValues(name, array);
    Resource resource = how.resource();
    checkUnit(name, array, resource, how.clockHz());
    LookupTable.Builder table =
        LookupTable.newBuilder()
            .setName(file.getFileName().toString())
            .setResource(CostWire.toProto(resource))
            .setLayers(shape.get(0))
            .setWeightBits(upTo(shape.get(1)))
            .setActivationBits(upTo(shape.get(2)))
            .setUnit(how.clockHz() > 0 ? LookupTable.Unit.CYCLES : LookupTable.Unit.SI)
            .setClockHz(how.clockHz())
            .setBatch(how.batch());
    for (double value : array.values()) {
      table.addValues(value);
    }
    return table.build();
  }

  private static void checkValues(String name, NpyFile array) {
    int activations = array.shape().get(2);
    int pairs = array.shape().get(1) * activations;
    double[] values = array.values();
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] >= 0) || Double.isInfinite(values[i])) {
        throw HaqException.invalid(
            "%s holds %s at [%d][%d][%d]: every cost must be a finite number of at least 0",
            name, values[i], i / pairs, i % pairs / activations, i % activations);
      }
    }
  }

  /** Refuses what would be read in another unit than it was written in, as far as that shows. */
  private static void checkUnit(String name, NpyFile array, Resource resource, double clockHz) {
    boolean whole = Arrays.stream(array.values()).allMatch(v -> v >= 1 && v == Math.rint(v));
    boolean cycles = array.type() == NpyFile.Type.INT64 || whole;
    if (clockHz == 0 && cycles && resource == Resource.LATENCY) {
      throw HaqException.invalid(
          "%s holds whole numbers, so cycles: give the clock with --clock-hz", name);
    }
    if (clockHz > 0 && Arrays.stream(array.values()).anyMatch(v -> v > 0 && v < 1)) {
      throw HaqException.invalid(
          "%s holds less than one cycle in places, so it holds seconds: leave --clock-hz out",
          name);
    }
  }

  /** What a written table holds, for people: such as {@code int64 cycles}. */
  record Written(List<Integer> shape, String type, String unit) {}

  /**
   * Writes cycles as int64 where they are whole, which they are not where a model interpolates;
   * else float64 in the resource's unit.
   */
  static Written write(Path file, CostTable table) {
    if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".npy")) {
      OpenTable.write(file, table);
      return new Written(
          List.of(
              table.getLayersCount(),
              table.getWeightBits().getBitsCount(),
              table.getActivationBits().getBitsCount()),
          "text",
          unit(table, false));
    }
    checkFromOne(table.getWeightBits(), "weights");
    checkFromOne(table.getActivationBits(), "activations");
    List<Integer> shape =
        List.of(
            table.getLayersCount(),
            table.getWeightBits().getBitsCount(),
            table.getActivationBits().getBitsCount());
    boolean cycles =
        table.getCyclesCount() > 0
            && table.getCyclesList().stream().allMatch(v -> v == Math.rint(v));
    double[] values =
        (cycles ? table.getCyclesList() : table.getValuesList())
            .stream().mapToDouble(Double::doubleValue).toArray();
    NpyFile array = new NpyFile(shape, values);
    OutFile.write(file, cycles ? array.toInt64() : array.toFloat64());
    return new Written(shape, cycles ? "int64" : "float64", unit(table, cycles));
  }

  private static String unit(CostTable table, boolean cycles) {
    if (cycles) {
      return "cycles";
    }
    return switch (table.getResource()) {
      case ENERGY -> "joules";
      case MODEL_SIZE -> "bytes";
      default -> "seconds";
    };
  }

  private static BitChoices upTo(int widest) {
    return BitChoices.newBuilder()
        .addAllBits(IntStream.rangeClosed(1, widest).boxed().toList())
        .build();
  }

  private static void checkFromOne(BitChoices choices, String operand) {
    if (!choices.equals(upTo(choices.getBitsCount()))) {
      throw HaqException.invalid(
          "the target allows %s of %s bits only, and the layout [w-1][a-1] of a .npy needs 1, 2, 3,"
              + " ...: give --out a name that ends with .csv or .json, which can hold it",
          operand, choices.getBitsList());
    }
  }
}
