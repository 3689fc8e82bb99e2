package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.SensitivityEntry;
import dev.haq.wire.CsvText;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What each layer does to accuracy by itself. */
@Command(
    name = "sensitivity",
    description =
        "Quantizes one operand of one layer at a time and says what that costs, most harmful first. What was measured is kept: interrupted, it goes on where it was.",
    mixinStandardHelpOptions = true)
final class SensitivityCommand implements Callable<Integer> {
  private static final int NARROWEST = 2;
  private static final int WIDEST = 8;

  @Mixin private CommonOptions common;
  @Mixin private ModelOption model;
  @Mixin private DataOptions data;

  @Option(
      names = "--bits",
      paramLabel = "B,B,...",
      defaultValue = "2,3,4,5,6,7,8",
      description = "Bit-widths to try, 2 to 8; ${DEFAULT-VALUE} by default.")
  private String bits;

  @Mixin private RecipeOptions recipe;

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "20",
      description = "Rows of the ranking that are printed; ${DEFAULT-VALUE} by default, 0 for all.")
  private int top;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "A .csv file for all that was measured, one row a layer, operand and width.")
  private Path out;

  @Override
  public Integer call() {
    Terminal terminal = common.terminal();
    List<Integer> widths = widths(bits);
    data.check();
    if (out != null && !out.toString().toLowerCase(Locale.ROOT).endsWith(".csv")) {
      throw HaqException.invalid("--out %s: the name must end with .csv", out);
    }
    if (out != null) {
      OutFile.check(out);
    }
    try (Connection connection = Connection.open(common)) {
      GatewayClient client = connection.client();
      Model known = model.resolve(client, common.terminal());
      BitChoices choices = BitChoices.newBuilder().addAllBits(widths).build();
      MeasureSensitivityRequest request =
          MeasureSensitivityRequest.newBuilder()
              .setModel(known.getId())
              .setData(
                  Waiting.on(
                      terminal,
                      DataOptions.SENDING,
                      () -> data.resolve(client, common.terminal(), DataSelection.Split.ALL)))
              .setRecipe(recipe.recipe())
              .setWeightBits(choices)
              .setActivationBits(choices)
              .build();
      Measured measured = new Measured();
      try (ProgressLine line = new ProgressLine(terminal, "measuring sensitivities")) {
        client.sensitivity(request, part -> measured.take(part, line));
      }
      report(terminal, known, request, measured, widths);
      return Haq.DONE;
    }
  }

  /** What was told so far. */
  private static final class Measured {
    private final List<SensitivityEntry> entries = new ArrayList<>();
    private MeasureSensitivityResponse.Start start;

    void take(MeasureSensitivityResponse part, ProgressLine line) {
      if (part.hasStart()) {
        start = part.getStart();
        return;
      }
      SensitivityEntry entry = part.getEntry();
      entries.add(entry);
      if (!entry.getCached()) {
        line.reached(entry.getDone(), start.getEntries(), entry.getSecondsLeft());
      }
    }
  }

  private void report(
      Terminal terminal,
      Model known,
      MeasureSensitivityRequest request,
      Measured measured,
      List<Integer> widths) {
    Accuracy baseline = measured.start.getBaseline();
    if (out != null) {
      write(out, measured.entries);
    }
    if (terminal.json()) {
      ObjectNode document = Json.object().put("model", known.getId());
      document.set("data", Json.tree(request.getData()));
      document.set("recipe", Json.tree(request.getRecipe()));
      document.set("baseline", Json.tree(baseline));
      document.set("entries", Json.array(measured.entries));
      terminal.document(document);
      return;
    }
    List<SensitivityRanking.Row> ranking = SensitivityRanking.of(measured.entries);
    int shown = top <= 0 ? ranking.size() : Math.min(top, ranking.size());
    terminal.line(
        "float top-1 %.2f %% on %d images; points of top-1 lost, and mean KL divergence in nats, of one operand at so many bits:",
        baseline.getTop1(), baseline.getImages());
    terminal.line(SensitivityRanking.table(ranking.subList(0, shown), baseline, widths));
    if (shown < ranking.size()) {
      terminal.line("and %d more (--top 0)", ranking.size() - shown);
    }
  }

  private static void write(Path file, List<SensitivityEntry> entries) {
    String csv =
        CsvText.of(entries)
            .column("layer", SensitivityEntry::getLayer)
            .column("operand", e -> Figures.name(e.getOperand()))
            .column("bits", SensitivityEntry::getBits)
            .column("images", e -> e.getAccuracy().getImages())
            .column("top1", e -> e.getAccuracy().getTop1())
            .column("top5", e -> e.getAccuracy().getTop5())
            .column("cross_entropy", e -> e.getAccuracy().getCrossEntropy())
            .column("kl_divergence", e -> e.getAccuracy().getKlDivergence())
            .column("signal_to_noise_db", e -> e.hasSignalToNoiseDb() ? e.getSignalToNoiseDb() : "")
            .text();
    OutFile.write(file, csv);
  }

  /** Distinct and ascending, whatever the order they are given in. */
  private static List<Integer> widths(String text) {
    TreeSet<Integer> widths = new TreeSet<>();
    for (String part : text.split(",", -1)) {
      String width = part.strip();
      int value = width.matches("[0-9]{1,3}") ? Integer.parseInt(width) : 0;
      if (value < NARROWEST || value > WIDEST) {
        throw new HaqException(
            Reason.INVALID_BITS,
            "--bits %s: '%s' is not %d to %d; give widths such as 2,4,8"
                .formatted(text, width, NARROWEST, WIDEST));
      }
      widths.add(value);
    }
    return List.copyOf(widths);
  }
}
