package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Resource;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.CostTable;
import dev.haq.wire.NpyFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableFileTest {
  @TempDir Path folder;

  @Test
  void writtenCyclesAreReadBackWithTheirClock() {
    Path file = folder.resolve("t.npy");
    TableFile.Written written = TableFile.write(file, table(List.of(1, 2)));
    assertEquals(new TableFile.Written(List.of(1, 2, 2), "int64", "cycles"), written);
    LookupTable read = read(file.toString(), 2e8, 16);
    assertEquals(List.of(40.0, 30.0, 20.0, 10.0), read.getValuesList());
    assertEquals(LookupTable.Unit.CYCLES, read.getUnit());
    assertEquals(List.of(1, 2), read.getWeightBits().getBitsList());
    assertEquals(16, read.getBatch());
  }

  @Test
  void cyclesWithoutAClockAreRefused() {
    Path file = folder.resolve("t.npy");
    TableFile.write(file, table(List.of(1, 2)));
    HaqException e = assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
    assertTrue(e.getMessage().contains("--clock-hz"), e.getMessage());
  }

  @Test
  void cyclesThatAreNotWholeAreWrittenAsSecondsAndReadAsSuch() {
    Path file = folder.resolve("t.npy");
    CostTable interpolated = table(List.of(1, 2)).toBuilder().setCycles(1, 30.5).build();
    TableFile.Written written = TableFile.write(file, interpolated);
    assertEquals(new TableFile.Written(List.of(1, 2, 2), "float64", "seconds"), written);
    LookupTable read = read(file.toString(), 0, 0);
    assertEquals(interpolated.getValuesList(), read.getValuesList());
    assertEquals(LookupTable.Unit.SI, read.getUnit());
    HaqException e = assertThrows(HaqException.class, () -> read(file.toString(), 2e8, 0));
    assertTrue(e.getMessage().contains("leave --clock-hz out"), e.getMessage());
  }

  @Test
  void anArrayOfIntegersHoldsCyclesEvenWhereALayerTakesNone() throws IOException {
    Path file = folder.resolve("t.npy");
    Files.write(file, new NpyFile(List.of(1, 1, 2), new double[] {0, 7}).toInt64());
    assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
  }

  @Test
  void aTableWithGapsHasNoPublishedLayout() {
    HaqException e =
        assertThrows(
            HaqException.class,
            () -> TableFile.write(folder.resolve("t.npy"), table(List.of(2, 4))));
    assertTrue(e.getMessage().contains("ends with .csv or .json"), e.getMessage());
  }

  @Test
  void csvAndJsonKeepEveryCellAndGapsInTheWidths() {
    for (String name : List.of("t.csv", "t.json")) {
      Path file = folder.resolve(name);
      TableFile.write(file, table(List.of(2, 4)));
      assertTrue(TableFile.is(file.toString()), name);
      LookupTable read = read(file.toString(), 0, 16);
      assertEquals(List.of(4e-7, 3e-7, 2e-7, 1e-7), read.getValuesList(), name);
      assertEquals(List.of(2, 4), read.getActivationBits().getBitsList(), name);
      assertEquals(List.of("conv"), read.getLayerNamesList(), name);
      assertEquals(16, read.getBatch());
    }
    LookupTable cycles = read(folder.resolve("t.csv").toString(), 1e8, 0);
    assertEquals(List.of(40.0, 30.0, 20.0, 10.0), cycles.getValuesList());
  }

  @Test
  void csvAndJsonKeepTheBatchAndAnotherIsRefused() {
    for (String name : List.of("b.csv", "b.json")) {
      String file = folder.resolve(name).toString();
      TableFile.write(Path.of(file), table(List.of(2, 4)).toBuilder().setBatch(16).build());
      assertEquals(16, read(file, 0, 0).getBatch(), name);
      assertEquals(16, read(file, 0, 16).getBatch(), name);
      HaqException e = assertThrows(HaqException.class, () -> read(file, 0, 1));
      assertTrue(
          e.getMessage().contains(name + " says that its batch is 16, and --table-batch is 1"),
          e.getMessage());
    }
  }

  @Test
  void aBatchThatIsNotTheSameInEveryRowIsRefusedByLine() throws IOException {
    String columns = "layer,weight_bits,activation_bits,batch,seconds\n";
    assertEquals(4, csv(columns + "a,8,8,4,1\nb,8,8,4.0,1\n").getBatch());
    refused("line 3: batch is 2, and above it is 4: ", columns + "a,8,8,4,1\nb,8,8,2,1\n");
    refused("line 2: batch is 0: ", columns + "a,8,8,0,1\n");
    refused("line 2: 'a,8,8,,1' has not the numbers", columns + "a,8,8,,1\n");
  }

  @Test
  void columnsOfWhichOneWouldHaveToBeChosenAreRefused() throws IOException {
    String columns = "layer,weight_bits,activation_bits,";
    refused("two columns of costs, ms and us: leave one", columns + "ms,us\na,8,8,1,2\n");
    refused("two columns of costs, ms and ms: leave one", columns + "ms,ms\na,8,8,1,2\n");
    refused("of costs, Time_s and seconds: leave", columns + "Time_s,seconds\na,8,8,1,2\n");
    refused(
        "two columns weight_bits, the 2nd and the 4th: leave one",
        columns + "Weight_Bits,ms\na,8,8,4,2\n");
    refused("two columns layer", columns + "ms,layer\na,8,8,4,b\n");
  }

  @Test
  void linesOfACsvTableThatBeginWithAHashAreComments() throws IOException {
    String columns = "# by a script\n#\nlayer,weight_bits,activation_bits,ms\n";
    LookupTable read = csv(columns + "# warm\na,8,8,1\n# cold\n\n#\na,4,8,2\n# end\n");
    assertEquals(List.of(0.002, 0.001), read.getValuesList());
    refused("line 6: ms is -1.0", columns + "\n# cold\na,4,8,-1\n");
  }

  @Test
  void aCsvTableWithoutAUnitOrACellIsRefusedByName() throws IOException {
    Path file = folder.resolve("t.csv");
    Files.writeString(file, "layer_index,weight_bits,activation_bits,cost\n0,8,8,1\n");
    HaqException unit = assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
    assertTrue(unit.getMessage().contains("no column seconds"), unit.getMessage());
    Files.writeString(file, "layer_index,weight_bits,activation_bits,seconds\n0,8,8,1\n1,4,8,1\n");
    HaqException gap = assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
    assertTrue(
        gap.getMessage().contains("2 cells, and none for layer_index 0 at W4A8"), gap.getMessage());
  }

  @Test
  void csvAsSpreadsheetsSaveItIsReadOrRefusedByLine() throws IOException {
    String header = "layer_index, weight_bits ,activation_bits,joules,seconds";
    LookupTable read = csv("\uFEFF" + header + "\r\n0,8,8,2,1\r\n\r\n1,8,8,4,3\r\n");
    assertEquals(List.of(1.0, 3.0), read.getValuesList());
    assertEquals(dev.haq.proto.model.v1.Resource.LATENCY, read.getResource());
    LookupTable joules = csv("layer_index,weight_bits,activation_bits,joules\n0,8,8,2\n");
    assertEquals(dev.haq.proto.model.v1.Resource.ENERGY, joules.getResource());
    refused("columns by ';'", header.replace(',', ';') + "\n0;8;8;1;1\n");
    refused("columns by tabs", header.replace(',', '\t') + "\n");
    refused("line 4: seconds is NaN", header + "\n0,8,8,1,1\n\n1,8,8,1,NaN\n");
    refused("line 2: seconds is -1.0", header + "\n0,8,8,1,-1\n");
    refused("line 2: '0,8,8,1,' has not the numbers", header + "\n0,8,8,1,\n");
    Path file = folder.resolve("t.csv");
    Files.write(file, (header + "\n0,8,8,1,1\n").getBytes(StandardCharsets.UTF_16));
    HaqException e = assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
    assertTrue(e.getMessage().contains("t.csv is not text in UTF-8"), e.getMessage());
  }

  @Test
  void aCsvTablesLayersAreToldByIndexOrByNameAlone() throws IOException {
    String columns = "weight_bits,activation_bits,seconds\n";
    LookupTable named = csv("layer," + columns + "b,8,8,2\na,8,8,1\nb,4,8,4\na,4,8,3\n");
    assertEquals(List.of("b", "a"), named.getLayerNamesList());
    assertEquals(List.of(4.0, 2.0, 3.0, 1.0), named.getValuesList());
    LookupTable counted = csv("layer," + columns + "1,8,8,2\n0,8,8,1\n");
    assertEquals(List.of(), counted.getLayerNamesList());
    assertEquals(List.of(1.0, 2.0), counted.getValuesList());
    refused("no column layer_index", columns + "8,8,1\n");
    refused("the first layer_index is 1: count", "layer_index," + columns + "1,8,8,1\n");
    String both = "layer_index,layer," + columns;
    refused("line 3: layer_index 0 is b, and above", both + "0,a,8,8,1\n0,b,4,8,1\n");
    refused(
        "line 4: a second cost of layer_index 0 (a) at W8A8, after line 2",
        both + "0,a,8,8,1\n\n0,a,8,8,2\n");
    refused("has no costs", both);
  }

  @Test
  void aCsvTableSaysItsUnitInTheHeading() throws IOException {
    String columns = "Layer_Index,Weight_Bits,Activation_Bits,";
    assertEquals(List.of(0.002), csv(columns + "ms\n0,8,8,2\n").getValuesList());
    assertEquals(List.of(2e-6), csv(columns + "s,Latency_us\n0,8,8,7,2\n").getValuesList());
    LookupTable energy = csv(columns + "energy_mJ\n0,8,8,2\n");
    assertEquals(List.of(0.002), energy.getValuesList());
    assertEquals(dev.haq.proto.model.v1.Resource.ENERGY, energy.getResource());
    refused("has no column seconds", columns + "s\n0,8,8,1\n");
    refused("for its cycles give the clock with --clock-hz", columns + "cycles\n0,8,8,1\n");
    HaqException e =
        assertThrows(
            HaqException.class,
            () ->
                read(
                    Files.writeString(folder.resolve("t.csv"), columns + "ms\n0,8,8,2\n")
                        .toString(),
                    2e8,
                    0));
    assertTrue(e.getMessage().contains("no column cycles"), e.getMessage());
    assertTrue(e.getMessage().contains("leave --clock-hz out"), e.getMessage());
  }

  @Test
  void aCsvTablesWidthsAreWholeNumbersUpTo16() throws IOException {
    String columns = "layer_index,weight_bits,activation_bits,seconds\n";
    assertEquals(List.of(16), csv(columns + "0.0,16.0,8.0,1\n").getWeightBits().getBitsList());
    refused("line 2: weight_bits is 32: a table holds widths of 1 to 16", columns + "0,32,8,1\n");
    refused("line 2: activation_bits is 0", columns + "0,8,0,1\n");
    refused("line 2: '0,8,4.5,1' has not the numbers", columns + "0,8,4.5,1\n");
    refused("line 2: '0,8,4' has not the numbers", columns + "0,8,4\n");
    refused("no column activation_bits", "layer_index,weight_bits,seconds\n0,8,1\n");
  }

  @Test
  void namesOfLayersMayHoldCommasAndQuotes() throws IOException {
    CostTable table = table(List.of(2, 4)).toBuilder().setLayers(0, "a, \"b\",\nc ").build();
    Path file = folder.resolve("t.csv");
    TableFile.write(file, table);
    LookupTable read = read(file.toString(), 0, 0);
    assertEquals(List.of("a, \"b\",\nc "), read.getLayerNamesList());
    assertEquals(table.getValuesList(), read.getValuesList());
    String columns = "\"layer_index\",\"weight_bits\",\"activation_bits\",\"seconds\",\"layer\"\n";
    assertEquals(List.of("a,b"), csv(columns + "0,8,8,1, \"a,b\"\n").getLayerNamesList());
    assertEquals(List.of("a,b"), csv(columns + "0,8,8,1,a,b\n").getLayerNamesList());
    refused("'0,8,8,1,5,a' has not", columns.replace(",\"layer\"", "") + "0,8,8,\"1,5\",a\n");
  }

  @Test
  void anArrayIsRefusedByTheCellThatIsNoCost() throws IOException {
    Path file = folder.resolve("t.npy");
    double[] values = new double[12];
    values[9] = Double.NaN; // [1][1][1]
    Files.write(file, new NpyFile(List.of(2, 3, 2), values).toFloat64());
    HaqException e = assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
    assertTrue(e.getMessage().contains("t.npy holds NaN at [1][1][1]"), e.getMessage());
    Files.write(file, new NpyFile(List.of(1, 17, 2), new double[34]).toFloat64());
    HaqException wide = assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
    assertTrue(wide.getMessage().contains("widths go up to 16 bits"), wide.getMessage());
  }

  @Test
  void anArrayOfOneActivationWidthIsNotTakenForOneBit() throws IOException {
    Path file = folder.resolve("t.npy");
    Files.write(file, new NpyFile(List.of(1, 8, 1), new double[8]).toFloat64());
    HaqException e = assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
    assertTrue(e.getMessage().contains("activations of 1 bit"), e.getMessage());
  }

  @Test
  void whatATableOfSizesHasBesideItsCellsIsKeptInTextAndReadersPassItOver() throws IOException {
    CostTable sizes =
        table(List.of(2, 4)).toBuilder()
            .setResource(dev.haq.proto.model.v1.Resource.MODEL_SIZE)
            .clearCycles()
            .setFixed(1234)
            .build();
    Path file = folder.resolve("s.csv");
    TableFile.write(file, sizes);
    List<String> lines = Files.readAllLines(file);
    assertEquals("fixed,,,1234.0,", lines.get(lines.size() - 1));
    HaqException e = assertThrows(HaqException.class, () -> read(file.toString(), 0, 0));
    assertTrue(e.getMessage().contains("holds model sizes"), e.getMessage());
    LookupTable others =
        csv("layer_index,weight_bits,activation_bits,seconds,layer\n0,8,8,1,a\nfixed,,,5,\n");
    assertEquals(List.of(1.0), others.getValuesList());
  }

  private LookupTable csv(String text) throws IOException {
    return read(Files.writeString(folder.resolve("t.csv"), text).toString(), 0, 0);
  }

  private void refused(String expected, String text) {
    HaqException e = assertThrows(HaqException.class, () -> csv(text));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  @Test
  void whatIsNoArrayIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("t.npy"), "not an array at all");
    assertThrows(HaqException.class, () -> read(file.toString(), 1, 0));
  }

  private static LookupTable read(String file, double clockHz, int batch) {
    return TableFile.read(
        file, new TableReading(Optional.empty(), Resource.LATENCY, clockHz, batch));
  }

  private static CostTable table(List<Integer> bits) {
    BitChoices choices = BitChoices.newBuilder().addAllBits(bits).build();
    return CostTable.newBuilder()
        .setResource(dev.haq.proto.model.v1.Resource.LATENCY)
        .addLayers("conv")
        .setWeightBits(choices)
        .setActivationBits(choices)
        .addAllValues(List.of(4e-7, 3e-7, 2e-7, 1e-7))
        .addAllCycles(List.of(40.0, 30.0, 20.0, 10.0))
        .build();
  }
}
