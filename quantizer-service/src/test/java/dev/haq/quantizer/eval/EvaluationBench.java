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
import dev.haq.quantizer.graphs.FakeQuantizedGraph;
import dev.haq.quantizer.graphs.GraphWriter;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.graphs.WholeSumsGraph;
import dev.haq.quantizer.importing.ModelImporter;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.Ort;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
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
 * model's on the same images and threads; how far their answers are from the judge's, and the
 * judge's from its own with sums in another order; and how much memory it all takes. Arguments:
 * {@code ROUNDS}, how often to time each policy (0: do not), {@code POLICIES}, the number of random
 * policies to compare with the judge's answers (0: do not; {@code 10-20}: those of these seeds),
 * then for each network {@code MODEL.onnx DATA.bin|DATA.zip PRESET IMAGES}. First and last layers
 * are at 8 bits.
 */
public final class EvaluationBench {
  private static final Logger LOG = LoggerFactory.getLogger(EvaluationBench.class);
  private static final int NARROWEST = 4;
  private static final int WIDEST = 8;

  /** One answer, so that requests in turns are never answered from memory. */
  private static final EvaluationLimits LIMITS =
      TestEvaluators.limits(Runtime.getRuntime().availableProcessors(), 1, 1, 2, 2);

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
      dataset = upload.finish(() -> false).id();
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
    images = datasets;
  }

  public static void main(String[] args) throws IOException {
    int rounds = Integer.parseInt(args[0]);
    String[] policies = args[1].split("-", 2);
    int from = policies.length == 1 ? 0 : Integer.parseInt(policies[0]);
    int to = Integer.parseInt(policies[policies.length - 1]);
    for (int i = 2; i + 3 < args.length; i += 4) {
      EvaluationBench bench =
          new EvaluationBench(
              Path.of(args[i]), Path.of(args[i + 1]), args[i + 2], Integer.parseInt(args[i + 3]));
      if (rounds > 0) {
        bench.speed(rounds);
      }
      if (to > from) {
        bench.agreement(from, to);
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

  /**
   * Top-1 of the evaluation and of three ways to compute the same, each minus another: the judge;
   * the judge with its sums in another order, as ONNX Runtime arranges them when it optimises; and
   * {@link WholeSumsGraph}, whose sums are exact in any order. What these differ by among
   * themselves is rounding in floating point, and what no form can do better.
   */
  private void agreement(int from, int to) throws IOException {
    Map<String, Differences> differences = new LinkedHashMap<>();
    double lowest = 100;
    double highest = 0;
    try (Evaluator evaluator = evaluator(new IntegerGraph(Processor.detect()))) {
      for (int seed = from; seed < to; seed++) {
        Policy policy = random(seed);
        double evaluation = evaluate(evaluator, policy, false).accuracy().top1();
        double[] others =
            evaluator.withPolicy(request(policy, false), () -> false, EvaluationBench::others);
        double judge = others[0];
        double reordered = others[1];
        double exact = others[2];
        add(differences, "evaluation - judge", evaluation - judge);
        add(differences, "reordered judge - judge", reordered - judge);
        add(differences, "exact sums - judge", exact - judge);
        add(differences, "evaluation - exact sums", evaluation - exact);
        lowest = Math.min(lowest, judge);
        highest = Math.max(highest, judge);
        report(
            "policy %d: evaluation %.1f, judge %.1f, reordered judge %.1f, exact sums %.1f",
            seed, evaluation, judge, reordered, exact);
      }
    }
    report(
        "%s: top-1 under %d random policies, for which the judge says %.1f to %.1f; peak %d MiB",
        model.network().name(), to - from, lowest, highest, peakMebibytes());
    differences.forEach(
        (what, d) -> report("%s: mean %.3f, rms %.3f points", what, d.mean(), d.rootMeanSquare()));
  }

  private static double[] others(PolicyRun run) {
    byte[] judge = new FakeQuantizedGraph().write(run.graph(), run.layers()).toByteArray();
    byte[] exact = new WholeSumsGraph().write(run.graph(), run.layers()).toByteArray();
    return new double[] {
      run.run(judge, Ort.Rewriting.NONE).accuracy().top1(),
      run.run(judge, Ort.Rewriting.FLOAT_LAYERS).accuracy().top1(),
      // Optimised, ONNX Runtime would put the scales back into the sums.
      run.run(exact, Ort.Rewriting.NONE).accuracy().top1()
    };
  }

  private static void add(Map<String, Differences> differences, String what, double points) {
    differences.computeIfAbsent(what, w -> new Differences()).add(points);
  }

  private static final class Differences {
    private double sum;
    private double squares;
    private int count;

    void add(double difference) {
      sum += difference;
      squares += difference * difference;
      count++;
    }

    double mean() {
      return sum / count;
    }

    double rootMeanSquare() {
      return Math.sqrt(squares / count);
    }
  }

  private Evaluator evaluator(GraphWriter writer) {
    return TestEvaluators.of(images, writer, LIMITS);
  }

  private Evaluation evaluate(Evaluator evaluator, Policy policy, boolean compareSpeed) {
    return evaluator.evaluate(request(policy, compareSpeed), () -> false);
  }

  private EvaluationRequest request(Policy policy, boolean compareSpeed) {
    return new EvaluationRequest(model, data, Optional.of(policy), Recipe.HAQ, compareSpeed);
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
