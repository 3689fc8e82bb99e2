package dev.haq.cli;

import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Preparation;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.model.v1.Resource;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import java.util.ArrayList;
import java.util.List;

/** Prints a session as it goes: one line an episode, and the bar below. Keeps the episodes. */
final class EpisodeLines implements SessionWatch.Listener, AutoCloseable {
  private final Terminal terminal;
  private final List<Episode> episodes = new ArrayList<>();
  private Progress progress;
  private Session session = Session.getDefaultInstance();
  private final TuningLines tuningLines;
  private boolean introduced;
  private boolean tuning;
  private int preparedTenths = -1;

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
    if (now.getState() == SessionState.FINE_TUNING && !tuning) {
      tuning = true;
      close();
      terminal.line(
          "fine-tuning the policy of episode %d, %d epochs",
          now.getBest().getNumber(), now.getSpec().getFinalFineTuning().getEpochs());
    }
    if (progress == null && !tuning) {
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

  @Override
  public void episode(Episode episode) {
    episodes.add(episode);
    terminal.line(line(episode, session.getEpisodesTotal()));
    if (progress != null) {
      progress.reached(episode.getNumber(), episode.getSeconds());
    }
  }

  @Override
  public void tuning(FineTuneProgress progress) {
    tuningLines.step(progress);
  }

  static String line(Episode episode, int total) {
    int digits = Integer.toString(total).length();
    return String.format(
        java.util.Locale.ROOT,
        "episode %"
            + digits
            + "d/%d  reward %8.4f  top-1 %6.2f %%  cost ratio %.4f  best %8.4f%s%s",
        episode.getNumber(),
        total,
        episode.getReward(),
        episode.getAccuracy().getTop1(),
        episode.getCostRatio(),
        episode.getBestReward(),
        episode.getImproved() ? "  *" : "",
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
    Resource resource = now.getSpec().getBudget().getResource();
    terminal.line(
        "float top-1 %.2f %% on %d search images; %s at most %s (reference %s)%s",
        now.getBaseline().getTop1(),
        now.getBaseline().getImages(),
        Figures.name(resource),
        Figures.amount(resource, now.getBudgetLimit()),
        Figures.amount(resource, now.getReferenceCost()),
        now.getExtrapolated() ? Figures.EXTRAPOLATED : "");
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
