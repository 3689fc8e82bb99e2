package dev.haq.cli;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** The bar below the episode lines, with the time left; nothing where nobody watches. */
final class Progress implements AutoCloseable {
  private static final int REDRAW_MILLIS = 500;
  private static final int DEFAULT_WIDTH = 80;

  /** Episodes that the time left is estimated from. */
  private static final int WINDOW = 10;

  private final Terminal terminal;
  private final Optional<ProgressBar> bar;
  private final int episodes;
  private final Deque<Double> latest = new ArrayDeque<>();
  private volatile Optional<Duration> left = Optional.empty();

  Progress(Terminal terminal, int episodes) {
    this.terminal = terminal;
    this.episodes = episodes;
    this.bar = terminal.interactive() ? Optional.of(build(episodes)) : Optional.empty();
  }

  /**
   * An episode is done.
   *
   * @param seconds it held up the search: the time left follows the latest ones, since warm-up is
   *     faster and the episodes of an interrupted session come at once
   */
  void reached(int episode, double seconds) {
    latest.addLast(seconds);
    if (latest.size() > WINDOW) {
      latest.removeFirst();
    }
    double mean = latest.stream().mapToDouble(Double::doubleValue).average().orElse(0);
    left = Optional.of(Duration.ofMillis(Math.round(1000 * mean * (episodes - episode))));
    bar.ifPresent(b -> b.stepTo(episode));
  }

  @Override
  public void close() {
    bar.ifPresent(ProgressBar::close);
    terminal.bar("");
  }

  private ProgressBar build(int episodes) {
    return new ProgressBarBuilder()
        .setTaskName("search")
        .setInitialMax(episodes)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(REDRAW_MILLIS)
        .setEtaFunction(state -> left)
        .setConsumer(new BottomLine())
        .build();
  }

  private static int width() {
    String columns = System.getenv("COLUMNS");
    return columns != null && columns.matches("[1-9][0-9]{1,3}")
        ? Integer.parseInt(columns) - 1
        : DEFAULT_WIDTH;
  }

  /** Draws through the terminal, which keeps lines and bar apart. */
  private final class BottomLine implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return width();
    }

    @Override
    public void accept(String rendered) {
      terminal.bar(rendered);
    }

    @Override
    public void clear() {
      terminal.bar("");
    }

    @Override
    public void close() {
      terminal.bar("");
    }
  }
}
