package dev.haq.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Linear;
import dev.haq.proto.model.v1.Network;
import dev.haq.proto.model.v1.Policy;
import java.util.List;
import org.junit.jupiter.api.Test;

class CsvTextTest {
  private static final List<String> ODD =
      List.of(
          "a,b",
          "\"q\"",
          "two\nlines",
          "two\r\nlines",
          " led",
          "#hash",
          "trailed\t",
          "plain one",
          "");

  @Test
  void fieldsAreQuotedWhereTheyMustBeAndLinesEndWithLineFeeds() {
    assertEquals(
        "n,name,cost,none\n3,\"a,b\",1.0E-4,\n7,\"say \"\"a\"\"\",1.0E-4,\n",
        CsvText.of(List.of("a,b", "say \"a\""))
            .column("n", name -> name.length())
            .column("name", name -> name)
            .column("cost", name -> 1e-4)
            .column("none", name -> "")
            .text());
  }

  @Test
  void whatIsWrittenIsReadBack() {
    CsvText.Table<List<String>> table = CsvText.of(List.of(ODD, ODD));
    for (int i = 0; i < ODD.size(); i++) {
      int column = i;
      table.column(ODD.get(i), row -> row.get(column));
    }
    List<CsvText.Row> rows = CsvText.rows("t.csv", table.text());
    assertEquals(List.of(ODD, ODD, ODD), rows.stream().map(CsvText.Row::fields).toList());
    assertEquals(List.of(1, 4, 7), rows.stream().map(CsvText.Row::line).toList());
  }

  @Test
  void rowsThatAreNotBlankAreReadWithTheLineThatTheyBeginAt() {
    String text = "\uFEFF A ,b\r\n\r\n  \r\n1,\t \"x\r\ny\" \r\n\n2,a \"b\"\n3,";
    assertEquals(
        List.of(
            new CsvText.Row(1, List.of("A", "b")),
            new CsvText.Row(4, List.of("1", "x\r\ny")),
            new CsvText.Row(7, List.of("2", "a \"b\"")),
            new CsvText.Row(8, List.of("3", ""))),
        CsvText.rows("t.csv", text));
    assertEquals(List.of(), CsvText.rows("t.csv", "\uFEFF\n\n"));
  }

  @Test
  void linesThatBeginWithAHashAreCommentsAndAQuotedHashIsNone() {
    String text = "# one\n#\nA,b\n\n#, \"\n1,#2\n \"#3\",4\n#";
    assertEquals(
        List.of(
            new CsvText.Row(3, List.of("A", "b")),
            new CsvText.Row(6, List.of("1", "#2")),
            new CsvText.Row(7, List.of("#3", "4"))),
        CsvText.rows("t.csv", text));
    assertEquals(List.of(), CsvText.rows("t.csv", "# nothing\n"));
  }

  @Test
  void quotesThatDoNotMatchAreRefusedByTheLineOfTheirRow() {
    for (String row : List.of("1,\"a", "1,\"a\"b")) {
      HaqException e =
          assertThrows(
              HaqException.class, () -> CsvText.rows("t.csv", "a,b\n#\n" + row + "\n2,c\n"));
      assertEquals(Reason.INVALID_ARGUMENT, e.reason());
      assertEquals(
          "t.csv, line 3: a field begins with a quote and does not end with one: close it, and double quotes within",
          e.getMessage());
    }
  }

  @Test
  void aPolicyIsATableWithOrWithoutCosts() {
    Network network =
        Network.newBuilder()
            .addLayers(layer("fc,1").setWeights(1280).setMacs(1281))
            .addLayers(layer("fc2").setWeights(1280))
            .build();
    Policy policy =
        Policy.newBuilder()
            .addLayers(LayerBits.newBuilder().setWeightBits(4).setActivationBits(6))
            .addLayers(LayerBits.newBuilder().setWeightBits(8))
            .build();
    assertEquals(
        """
        layer,name,kind,weight_bits,activation_bits,weights,macs
        1,"fc,1",linear 128->10,4,6,1280,1281
        2,fc2,linear 128->10,8,float,1280,0
        """,
        PolicyTable.of(policy, network).text());
    assertEquals(
        """
        layer,name,kind,weight_bits,activation_bits,weights,macs,cycles
        1,"fc,1",linear 128->10,4,6,1280,1281,0
        2,fc2,linear 128->10,8,float,1280,0,1
        """,
        PolicyTable.of(policy, network).column("cycles", i -> i).text());
  }

  private static Layer.Builder layer(String name) {
    return Layer.newBuilder()
        .setName(name)
        .setLinear(Linear.newBuilder().setInputUnits(128).setOutputUnits(10));
  }
}
