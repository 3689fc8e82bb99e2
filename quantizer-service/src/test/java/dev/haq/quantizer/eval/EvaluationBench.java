package dev.haq.quantizer.eval;

import com.sun.management.OperatingSystemMXBean;
import dev.haq.model.DataSelection;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Preprocessing;
import dev.haq.model.Recipe;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.quantizer.data.Datasets;
import dev.haq.quantizer.onnx.FakeQuantizedGraph;
import dev.haq.quantizer.onnx.GraphWriter;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.IntegerGraph;
import dev.haq.quantizer.onnx.ModelImporter;
import dev.haq.quantizer.onnx.Processor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How long quantized evaluations take, opening their sessions included, as a share of the float
 * model's on the same images and threads; how far their answers are from the judge's; and how much
 * memory it all takes. Arguments: {@code ROUNDS}, how often to time each policy (0: do not), {@code
 * POLICIES}, the number of random policies to compare with the judge's answers (0: do not), then
 * for each network {@code MODEL.onnx DATA.bin|DATA.zip PRESET IMAGES}. First and last layers are at
 * 8 bits.
 */
public final class EvaluationBench {
  private static final Logger LOG = LoggerFactory.getLogger(EvaluationBench.class);
  private static final int NARROWEST = 4;
  private static final int WIDEST = 8;

  /** One answer, so that requests in turns are never answered from memory. */
  private static final Evaluator.Limits LIMITS =
      new Evaluator.Limits(Runtime.getRuntime().availableProcessors(), 1, 1, 2, 2);

  private final ImportedModel model;
  private final DataSelection data;
  private final Images.Source images;

  private EvaluationBench(Path file, Path dataFile, String preset, int count) throws IOException {
    model = ModelImporter.read(Files.readAllBytes(file), "id", file.getFileName().toString());
    DatasetStore store =
        new DatasetStore(
            Files.createTempDirectory("bench"),
            ArchiveLimits.DEFAULT,
            DatasetStore.USUAL_PREPARED_BYTES);
    Preprocessing preprocessing = Preprocessing.preset(preset);
    String dataset;
    try (DatasetUpload upload = store.upload("bench", Optional.empty(), Optional.empty())) {
      upload.write(ByteBuffer.wrap(Files.readAllBytes(dataFile)));
      dataset = upload.finish().id();
    }
    data =
        new DataSelection(
            dataset,
            Optional.of(preprocessing),
            DataSelection.Split.ALL,
            count,
            DataSelection.DEFAULT_CALIBRATION_IMAGES,
            0,
            DataSelection.DEFAULT_HELD_OUT_FRACTION);
    Datasets datasets = new Datasets(store);
    images =
        (selection, shape, classes) ->
            TestImages.of(datasets.images(selection, shape.get(1), shape.get(2)));
  }

  public static void main(String[] args) throws IOException {
    int rounds = Integer.parseInt(args[0]);
    int policies = Integer.parseInt(args[1]);
    for (int i = 2; i + 3 < args.length; i += 4) {
      EvaluationBench bench =
          new EvaluationBench(
              Path.of(args[i]), Path.of(args[i + 1]), args[i + 2], Integer.parseInt(args[i + 3]));
      if (rounds > 0) {
        bench.speed(rounds);
      }
      if (policies > 0) {
        bench.agreement(policies);
      }
    }
  }

  private void speed(int rounds) throws IOException {
    try (Evaluator evaluator = evaluator(new IntegerGraph(Processor.detect()))) {
      Map<String, Policy> policies = new TreeMap<>();
      policies.put("W8A8", uniform(8));
      policies.put("W4A4", uniform(4));
      policies.put("mixed", random(1));
      for (Map.Entry<String, Policy> policy : policies.entrySet()) {
        double first = evaluate(evaluator, policy.getValue(), true).seconds();
        double[] ratios = new double[rounds];
        double[] floatSeconds = new double[rounds];
        double[] seconds = new double[rounds];
        double[] floatCpu = new double[rounds];
        double[] cpu = new double[rounds];
        double top1 = 0;
        for (int round = 0; round < rounds; round++) {
          Evaluation compared = evaluate(evaluator, policy.getValue(), true);
          floatSeconds[round] = compared.floatSeconds().orElseThrow();
          seconds[round] = compared.seconds();
          ratios[round] = compared.seconds() / floatSeconds[round];
          double begun = cpuSeconds();
          evaluate(evaluator, Policy.unquantized(model.network().size()), false);
          floatCpu[round] = cpuSeconds() - begun;
          begun = cpuSeconds();
          top1 = evaluate(evaluator, policy.getValue(), false).accuracy().top1();
          cpu[round] = cpuSeconds() - begun;
        }
        report(
            "%s %s: top-1 %.1f; float %.3f s, quantized %.3f s (first %.3f s), ratio %.3f"
                + " (%.3f to %.3f); processor time %.3f s and %.3f s, ratio %.3f; peak %d MiB",
            model.network().name(),
            policy.getKey(),
            top1,
            median(floatSeconds),
            median(seconds),
            first,
            median(ratios),
            ratios[0],
            ratios[rounds - 1],
            median(floatCpu),
            median(cpu),
            median(cpu) / median(floatCpu),
            peakMebibytes());
      }
    }
  }

  private void agreement(int policies) throws IOException {
    double sum = 0;
    double squares = 0;
    double lowest = 100;
    double highest = 0;
    try (Evaluator fast = evaluator(new IntegerGraph(Processor.detect()));
        Evaluator judge = evaluator(new FakeQuantizedGraph())) {
      for (int seed = 0; seed < policies; seed++) {
        Policy policy = random(seed);
        double expected = evaluate(judge, policy, false).accuracy().top1();
        double difference = evaluate(fast, policy, false).accuracy().top1() - expected;
        sum += difference;
        squares += difference * difference;
        lowest = Math.min(lowest, expected);
        highest = Math.max(highest, expected);
      }
    }
    report(
        "%s: top-1 minus the judge's under %d random policies (%.1f to %.1f): mean %.3f, rms %.3f"
            + " points; peak %d MiB with the judge",
        model.network().name(),
        policies,
        lowest,
        highest,
        sum / policies,
        Math.sqrt(squares / policies),
        peakMebibytes());
  }

  private Evaluator evaluator(GraphWriter writer) {
    return new Evaluator(images, writer, LIMITS);
  }

  private Evaluation evaluate(Evaluator evaluator, Policy policy, boolean compareSpeed) {
    return evaluator.evaluate(
        new Evaluator.Request(model, data, Optional.of(policy), Recipe.HAQ, compareSpeed),
        () -> false);
  }

  private Policy uniform(int bits) {
    return pinned(
        new ArrayList<>(Policy.uniform(model.network().size(), LayerBits.of(bits, bits)).layers()));
  }

  private Policy random(int seed) {
    Random random = new Random(seed);
    List<LayerBits> layers = new ArrayList<>();
    for (int k = 0; k < model.network().size(); k++) {
      layers.add(
          LayerBits.of(
              random.nextInt(NARROWEST, WIDEST + 1), random.nextInt(NARROWEST, WIDEST + 1)));
    }
    return pinned(layers);
  }

  private static Policy pinned(List<LayerBits> layers) {
    layers.set(0, LayerBits.of(8, 8));
    layers.set(layers.size() - 1, LayerBits.of(8, 8));
    return new Policy(layers);
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  /** Processor time of the whole process: what other programs do has little bearing on it. */
  private static double cpuSeconds() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime()
        / 1e9;
  }

  /** The most memory that this process had in use so far (Linux), its native memory included. */
  private static long peakMebibytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
      }
    }
    return 0;
  }

  private static void report(String format, Object... values) {
    LOG.info(String.format(Locale.ROOT, format, values));
  }
}
