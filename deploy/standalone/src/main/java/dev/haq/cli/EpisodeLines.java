package dev.haq.cli;

import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Preparation;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.agent.v1.TargetBudget;
import dev.haq.proto.agent.v1.TargetResult;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.wire.BestPolicy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Prints a session as it goes: one line an episode, and the bar below. Keeps the episodes. */
final class EpisodeLines implements SessionWatch.Listener, AutoCloseable {
  private final Terminal terminal;
  private final List<Episode> episodes = new ArrayList<>();
  private Progress progress;
  private Session session = Session.getDefaultInstance();
  private final TuningLines tuningLines;
  private boolean introduced;

  /** Episode of the policy whose network is being fine-tuned; 0 while it searches. */
  private int tuning;

  private int preparedTenths = -1;

  /** Highest reward so far, of each target of several and of the fleet. */
  private final Map<String, Double> bests = new HashMap<>();

  private EpisodeLines(Terminal terminal) {
    this.terminal = terminal;
    this.tuningLines = new TuningLines(terminal);
  }

  /** A session as it ended, and its episodes. */
  record Followed(Session ended, List<Episode> episodes) {}

  /** Follows a session to its end. */
  static Followed follow(GatewayClient client, String id, int after, Terminal terminal) {
    try (EpisodeLines lines = new EpisodeLines(terminal)) {
      Session ended = new SessionWatch(client, id, after, lines).follow();
      return new Followed(ended, List.copyOf(lines.episodes));
    }
  }

  @Override
  public void session(Session now) {
    session = now;
    if (now.getState() == SessionState.FINE_TUNING) {
      BestPolicy.all(now).stream()
          .filter(best -> best.tuned().isEmpty())
          .findFirst()
          .ifPresent(this::tunes);
    }
    if (progress == null && tuning == 0) {
      progress = new Progress(terminal, now.getEpisodesTotal());
    }
    if (now.hasPreparation()) {
      prepared(now.getPreparation());
    }
    if (!introduced && now.hasBaseline()) {
      introduced = true;
      introduce(now);
    }
  }

  private void tunes(BestPolicy best) {
    if (tuning != best.episode().getNumber()) {
      tuning = best.episode().getNumber();
      close();
      tuningLines.begin();
      terminal.line(
          "fine-tuning the policy of episode %d%s, %d epochs",
          tuning,
          best.target().isEmpty() ? "" : " (best for " + best.target() + ")",
          session.getSpec().getFinalFineTuning().getEpochs());
    }
  }

  @Override
  public void episode(Episode episode) {
    episodes.add(episode);
    episode.getImprovedForList().forEach(aim -> bests.put(aim, episode.getReward()));
    terminal.line(
        episode.getProposedFor().isEmpty()
            ? line(episode, session.getEpisodesTotal())
            : fleetLine(episode));
    if (progress != null) {
      int parallelEpisodes = Math.max(1, session.getSpec().getParallelEpisodes());
      progress.reached(episode.getNumber(), episode.getSeconds() / parallelEpisodes);
    }
  }

  @Override
  public void tuning(FineTuneProgress progress) {
    tuningLines.step(progress);
  }

  static String line(Episode episode, int total) {
    return numbered(episode, total)
        + String.format(
            Locale.ROOT,
            "  reward %8.4f  top-1 %6.2f %%  cost ratio %.4f  best %8.4f%s%s",
            episode.getReward(),
            episode.getAccuracy().getTop1(),
            episode.getCostRatio(),
            episode.getBestReward(),
            episode.getImproved() ? "  *" : "",
            episode.getWarmup() ? "  (warm-up)" : "");
  }

  private static String numbered(Episode episode, int total) {
    int digits = Integer.toString(total).length();
    return String.format(Locale.ROOT, "episode %" + digits + "d/%d", episode.getNumber(), total);
  }

  /** The cost on the target that the episode was proposed for, on each of them for the fleet. */
  private String fleetLine(Episode episode) {
    String aim = episode.getProposedFor();
    String ratios =
        episode.getTargetCostsList().stream()
            .filter(cost -> aim.equals(BestPolicy.FLEET) || aim.equals(cost.getTarget()))
            .map(cost -> Figures.fixed(cost.getCostRatio(), 4))
            .collect(Collectors.joining(" "));
    Double best = bests.get(aim);
    int width =
        session.getTargetsList().stream().mapToInt(t -> t.getTarget().length()).max().orElse(0);
    return numbered(episode, session.getEpisodesTotal())
        + String.format(
            Locale.ROOT,
            "  for %-"
                + Math.max(width, BestPolicy.FLEET.length())
                + "s  reward %8.4f  top-1 %6.2f %%  cost ratio %s%s%s%s",
            aim,
            episode.getReward(),
            episode.getAccuracy().getTop1(),
            ratios,
            best == null ? "" : String.format(Locale.ROOT, "  best %8.4f", best),
            episode.getImprovedForList().contains(aim) ? "  *" : "",
            episode.getWarmup() ? "  (warm-up)" : "");
  }

  /** A line a tenth of the way at most. */
  private void prepared(Preparation now) {
    int tenths = now.getToMeasure() > 0 ? 10 * now.getMeasured() / now.getToMeasure() : 0;
    if (tenths > preparedTenths) {
      preparedTenths = tenths;
      terminal.line(
          "preparing: %d of %d sensitivities measured, %s s left",
          now.getMeasured(), now.getToMeasure(), Figures.fixed(now.getSecondsLeft(), 0));
    }
  }

  private void introduce(Session now) {
    terminal.line(
        "float top-1 %.2f %% on %d search images; %s%s",
        now.getBaseline().getTop1(),
        now.getBaseline().getImages(),
        text(now.getBudgetsList()),
        now.getExtrapolated() ? Figures.EXTRAPOLATED : "");
    for (TargetResult target : now.getTargetsList()) {
      terminal.line(target.getTarget() + ": " + text(target.getBudgetsList()));
    }
    if (!now.getFleet().getInfeasible().isEmpty()) {
      terminal.line("no policy for all targets: " + now.getFleet().getInfeasible());
    }
  }

  private static String text(List<TargetBudget> budgets) {
    return budgets.stream()
        .map(
            budget ->
                "%s at most %s (reference %s)"
                    .formatted(
                        Figures.name(budget.getResource()),
                        Figures.amount(budget.getResource(), budget.getLimit()),
                        Figures.amount(budget.getResource(), budget.getReferenceCost())))
        .collect(Collectors.joining(", "));
  }

  @Override
  public void close() {
    if (progress != null) {
      progress.close();
      progress = null;
    }
    tuningLines.end();
  }
}
