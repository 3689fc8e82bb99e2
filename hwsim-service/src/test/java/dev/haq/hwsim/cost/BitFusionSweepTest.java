package dev.haq.hwsim.cost;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.hwsim.SharedData;
import dev.haq.hwsim.accelerator.Catalogue;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the public BitFusion simulator itself wrote: 61 layers on five machines. */
class BitFusionSweepTest {
  private static final int BATCH = 16;

  private static final List<String> COUNTERS =
      List.of(
          "Cycles",
          "Memory wait cycles",
          "WBUF Read",
          "WBUF Write",
          "OBUF Read",
          "OBUF Write",
          "IBUF Read",
          "IBUF Write",
          "DRAM Read",
          "DRAM Write");

  /** A layer of its benchmarks; bits of the activations and the weights. */
  private record Bench(BitFusionWork work, int activationBits, int weightBits) {}

  private final Map<String, Bench> benches = new HashMap<>();

  private void conv(
      String name, int in, int out, int kernel, int stride, int map, boolean first, int a, int w) {
    benches.put(
        name + "/Convolution",
        new Bench(
            new BitFusionWork(
                kernel, kernel, kernel, kernel, stride, stride, map, map, in, out, BATCH, first, 1,
                0, false),
            a,
            w));
  }

  private void linear(String name, int in, int out, int a, int w) {
    benches.put(
        name + "/MatMul",
        new Bench(
            new BitFusionWork(1, 1, 1, 1, 1, 1, 1, 1, in, out, BATCH, false, 1, 0, false), a, w));
  }

  /** The networks of its benchmarks (the wide variants of AlexNet and ResNet-18). */
  private Map<String, Bench> benches() {
    for (String side : List.of("a", "b")) {
      conv("AlexNet,conv1_" + side, 3, 96, 11, 4, 55, true, 8, 8);
      conv("AlexNet,conv2_" + side, 96, 256, 5, 1, 27, false, 4, 4);
      conv("AlexNet,conv3_" + side, 512, 384, 3, 1, 13, false, 4, 4);
      conv("AlexNet,conv4_" + side, 384, 384, 3, 1, 13, false, 4, 4);
      conv("AlexNet,conv5_" + side, 384, 256, 3, 1, 13, false, 4, 4);
      conv("VGG-7,conv1_" + side, 3, 128, 3, 1, 32, true, 2, 2);
      conv("VGG-7,conv2_" + side, 128, 256, 3, 1, 16, false, 2, 2);
      conv("VGG-7,conv3_" + side, 256, 512, 3, 1, 8, false, 2, 2);
    }
    linear("AlexNet,fc1", 18432, 8192, 4, 4);
    linear("AlexNet,fc2", 8192, 8192, 4, 4);
    linear("AlexNet,fc3", 8192, 1000, 8, 8);
    linear("VGG-7,fc1", 8192, 1024, 2, 2);
    cifarStyle("SVHN", 64, 1, 1);
    cifarStyle("CIFAR10", 128, 8, 2);
    conv("LeNet-5,conv0", 1, 32, 5, 1, 32, true, 2, 2);
    conv("LeNet-5,conv1", 32, 64, 5, 1, 16, false, 2, 2);
    linear("LeNet-5,fc1", 4096, 512, 2, 2);
    linear("LeNet-5,fc2", 512, 10, 2, 2);
    conv("RESNET-18,conv1_a", 3, 128, 7, 2, 112, true, 8, 8);
    int inputs = 128;
    for (int module = 2; module <= 5; module++) {
      int outputs = 128 << (module - 2);
      int map = 112 >> (module - 1);
      for (int i = 1; i <= 2; i++) {
        String name = "RESNET-18,module%d/conv%d_%d_".formatted(module, module, i);
        int stride = module > 2 && i == 1 ? 2 : 1;
        conv(name + "a", inputs, outputs, 1, stride, map, false, 4, 4);
        conv(name + "b", outputs, outputs, 3, 1, map, false, 4, 4);
        inputs = outputs;
      }
    }
    linear("RNN,matmul", 4096, 4096, 4, 4);
    linear("LSTM,matmul", 3600, 3600, 4, 4);
    return benches;
  }

  private void cifarStyle(String network, int channels, int firstWeightBits, int bits) {
    conv(network + ",conv0", 3, channels, 3, 1, 32, true, 8, firstWeightBits);
    conv(network + ",conv1", channels, channels, 3, 1, 32, false, bits, bits);
    conv(network + ",conv2", channels, 2 * channels, 3, 1, 16, false, bits, bits);
    conv(network + ",conv3", 2 * channels, 2 * channels, 3, 1, 16, false, bits, bits);
    conv(network + ",conv4", 2 * channels, 4 * channels, 3, 1, 8, false, bits, bits);
    conv(network + ",conv5", 4 * channels, 4 * channels, 3, 1, 8, false, bits, bits);
    linear(network + ",fc6", 64 * channels, 1024, bits, bits);
    linear(network + ",fc7", 1024, 1024, bits, bits);
    linear(network + ",fc8", 1024, 10, bits, bits);
  }

  private static BitFusionParameters machine(Map<String, String> row) {
    return new BitFusionParameters(
        integer(row, "N"),
        integer(row, "M"),
        integer(row, "Max Precision (bits)"),
        integer(row, "Min Precision (bits)"),
        integer(row, "Bandwidth (bits/cycle)"),
        integer(row, "WBUF Size (bits)"), // bytes, whatever the column says
        integer(row, "IBUF Size (bits)"),
        integer(row, "OBUF Size (bits)"),
        32,
        BitFusionParameters.Depthwise.DENSE,
        BitFusionParameters.OddBits.ROUND_UP,
        GoldenEnergy.PUBLISHED);
  }

  private static int integer(Map<String, String> row, String column) {
    return Integer.parseInt(row.get(column));
  }

  @Test
  void everyIntegerOfThePublicSimulatorsSweepIsMet() {
    Map<String, Bench> known = benches();
    List<Map<String, String>> rows = SharedData.csv("hwsim/bitfusion_upstream_sweep.csv");
    for (Map<String, String> row : rows) {
      Bench bench = known.get(row.get("Network") + "," + row.get("Layer"));
      BitFusionCounters counters =
          BitFusionSearch.run(
                  machine(row), bench.work(), bench.weightBits(), bench.activationBits())
              .orElseThrow();
      long[] expected = COUNTERS.stream().mapToLong(c -> Long.parseLong(row.get(c))).toArray();
      long[] actual =
          Stream.of(
                  counters.cycles(),
                  counters.cycles() - counters.computeCycles(),
                  counters.weightReadBits(),
                  counters.weightWriteBits(),
                  counters.outputReadBits(),
                  counters.outputWriteBits(),
                  counters.activationReadBits(),
                  counters.activationWriteBits(),
                  counters.dramReadBits(),
                  counters.dramWriteBits())
              .mapToLong(Long::longValue)
              .toArray();
      assertArrayEquals(expected, actual, row::toString);
    }
    assertEquals(305, rows.size());
  }

  /**
   * Five of the public simulator's rows, for machines without the shared files: cycles, waiting.
   */
  @ParameterizedTest
  @CsvSource({
    "'AlexNet,conv4_b/Convolution', 2436097, 403969",
    "'AlexNet,fc1/MatMul', 3545090, 2365442",
    "'SVHN,fc8/MatMul', 374, 310",
    "'RESNET-18,module4/conv4_1_a/Convolution', 571393, 370689",
    "'LSTM,matmul/MatMul', 337175, 231383",
  })
  void someOfThePublicSimulatorsCyclesAreMet(String name, long cycles, long waiting) {
    Bench bench = benches().get(name);
    BitFusionParameters published = Catalogue.builtIn().file("bitfusion").accelerator().bitFusion();
    BitFusionCounters counters =
        BitFusionSearch.run(published, bench.work(), bench.weightBits(), bench.activationBits())
            .orElseThrow();
    assertEquals(cycles, counters.cycles());
    assertEquals(waiting, counters.cycles() - counters.computeCycles());
  }
}
