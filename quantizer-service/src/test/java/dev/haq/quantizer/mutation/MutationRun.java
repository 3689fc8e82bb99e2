package dev.haq.quantizer.mutation;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.DatasetUpload;
import dev.haq.quantizer.models.ModelStore;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Sends damaged files through the real import, each from its seed, in a child process with a small
 * heap. A child that dies or is silent for too long is noted with the seed, and another goes on.
 *
 * <pre>MutationRun FIRST COUNT</pre>
 */
public final class MutationRun {
  /** Of processor time, so that a busy machine makes no hang of a slow mutant. */
  private static final Duration LONGEST_WORK = Duration.ofSeconds(30);

  /** Of wall time, for a child that waits for ever. */
  private static final Duration LONGEST_SILENCE = Duration.ofMinutes(10);

  private static final String HEAP = "-Xmx512m";
  private static final long MODEL_BYTES = 64 << 20;
  private static final ArchiveLimits LIMITS =
      new ArchiveLimits(64 << 20, 1000, 8 << 20, 64 << 20, 200);

  private MutationRun() {}

  /** {@code FIRST COUNT}, or {@code child FIRST COUNT}. */
  public static void main(String[] args) throws Exception {
    if (args[0].equals("child")) {
      child(Long.parseLong(args[1]), Long.parseLong(args[2]));
      Runtime.getRuntime().halt(0);
    }
    long next = Long.parseLong(args[0]);
    long end = next + Long.parseLong(args[1]);
    Tally tally = new Tally();
    while (next < end) {
      next = watched(next, end - next, tally);
    }
    System.out.println(tally.text());
    System.exit(tally.bad() ? 1 : 0);
  }

  /** What becomes of one mutant: accepted, or the reason it is refused for. */
  static String outcome(Mutant mutant, Path folder) throws IOException {
    try {
      if (mutant.model()) {
        ModelStore models = new ModelStore(folder.resolve("models"), MODEL_BYTES, 1);
        Path upload = models.newUpload();
        Files.write(upload, mutant.bytes());
        models.add(upload, "mutant", Optional.empty(), () -> false);
        return "accepted";
      }
      DatasetStore datasets =
          new DatasetStore(folder.resolve("datasets"), LIMITS, DatasetStore.USUAL_PREPARED_BYTES);
      try (DatasetUpload upload = datasets.upload("mutant", Optional.empty(), Optional.empty())) {
        upload.write(ByteBuffer.wrap(mutant.bytes()));
        upload.finish(() -> false);
      }
      return "accepted";
    } catch (HaqException e) {
      String reason = e.reason().toString();
      return isKind(reason) ? reason : reason + " " + e;
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) {
      return "UNTYPED " + e;
    }
  }

  /** Whether an outcome is one that a caller can be told. */
  static boolean isKind(String outcome) {
    if (outcome.equals("accepted")) {
      return true;
    }
    for (Reason reason : Reason.values()) {
      if (reason.toString().equals(outcome)) {
        return reason.kind() == Reason.Kind.CALLER || reason == Reason.TOO_LARGE;
      }
    }
    return false;
  }

  /** Files that are left of uploads that were refused. */
  static long left(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .filter(
              file -> file.toString().contains(".incoming") || file.toString().endsWith(".part"))
          .count();
    }
  }

  private static void child(long first, long count) throws IOException {
    Path folder = Files.createTempDirectory("haq-mutants");
    for (long seed = first; seed < first + count; seed++) {
      System.out.println("begin " + seed);
      long start = System.nanoTime();
      Mutant mutant = Mutant.of(seed);
      String outcome = outcome(mutant, folder);
      long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
      System.out.println(
          "end "
              + seed
              + " "
              + millis
              + " "
              + (mutant.model() ? "model " : "data ")
              + outcome.lines().findFirst().orElse(""));
    }
    System.out.println("left " + left(folder));
    System.out.println("peak " + peakKilobytes());
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static String peakKilobytes() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return "?";
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmHWM"))
        .findFirst()
        .orElse("?");
  }

  /** Runs a child until it ends; answers the seed to go on with. */
  private static long watched(long first, long count, Tally tally) throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                HEAP,
                "-XX:+UseSerialGC",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=/dev/null",
                "-cp",
                classPath(),
                MutationRun.class.getName(),
                "child",
                Long.toString(first),
                Long.toString(count))
            .redirectErrorStream(true)
            .start();
    BlockingQueue<String> lines = new ArrayBlockingQueue<>(10_000);
    Thread reader = new Thread(() -> read(child, lines), "mutation-output");
    reader.setDaemon(true);
    reader.start();
    long seed = first - 1;
    boolean underway = false;
    String said = "";
    Duration work = work(child);
    long heard = System.nanoTime();
    while (true) {
      String line = lines.poll(1, TimeUnit.SECONDS);
      if (line == null) {
        Duration silence = Duration.ofNanos(System.nanoTime() - heard);
        if (work(child).minus(work).compareTo(LONGEST_WORK) > 0
            || silence.compareTo(LONGEST_SILENCE) > 0) {
          child.destroyForcibly();
          tally.add("HANG", seed, silence.toMillis());
          return seed + 1;
        }
        continue;
      }
      work = work(child);
      heard = System.nanoTime();
      String[] words = line.split(" ", 4);
      switch (words[0]) {
        case "begin" -> {
          seed = Long.parseLong(words[1]);
          underway = true;
        }
        case "end" -> {
          underway = false;
          tally.add(words[3], seed, Long.parseLong(words[2]));
        }
        case "left", "peak" -> System.out.println(line);
        case "EOF" -> {
          if (seed < first) {
            throw new IllegalStateException("the child process did not begin: " + said);
          }
          if (underway || seed < first + count - 1) {
            tally.add("CRASH", seed, 0);
            return seed + 1;
          }
          return first + count;
        }
        default -> said = line;
      }
    }
  }

  /** This process' own; where Maven runs the program, its class loader knows it. */
  private static String classPath() {
    return MutationRun.class.getClassLoader() instanceof URLClassLoader loader
        ? Arrays.stream(loader.getURLs())
            .map(url -> Path.of(URI.create(url.toString())).toString())
            .collect(Collectors.joining(File.pathSeparator))
        : System.getProperty("java.class.path");
  }

  private static Duration work(Process child) {
    return child.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  private static void read(Process child, BlockingQueue<String> lines) {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        lines.put(line);
      }
      lines.put("EOF");
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Counts by outcome, and the seeds that must not be. */
  private static final class Tally {
    private final Map<String, Integer> counts = new TreeMap<>();
    private final StringBuilder bad = new StringBuilder();
    private long longest;
    private long longestSeed;

    void add(String outcome, long seed, long millis) {
      String key =
          outcome.startsWith("model UNTYPED") || outcome.startsWith("data UNTYPED")
              ? "UNTYPED"
              : outcome;
      counts.merge(key, 1, Integer::sum);
      String reason = outcome.substring(outcome.indexOf(' ') + 1);
      if (!isKind(reason)) {
        bad.append(seed).append(' ').append(outcome).append('\n');
        System.out.println("seed " + seed + ": " + outcome);
      }
      if (millis > longest) {
        longest = millis;
        longestSeed = seed;
      }
    }

    boolean bad() {
      return bad.length() > 0;
    }

    String text() {
      return counts + "\nlongest " + longest + " ms (seed " + longestSeed + ")\n" + bad;
    }
  }
}
