package dev.haq.cli;

import java.time.Duration;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** The bar below the episode lines, with the time left; nothing where nobody watches. */
final class Progress implements AutoCloseable {
  private static final int REDRAW_MILLIS = 500;
  private static final int DEFAULT_WIDTH = 80;

  private final Terminal terminal;
  private final Optional<ProgressBar> bar;
  private volatile Optional<Duration> left = Optional.empty();

  Progress(Terminal terminal, int episodes) {
    this.terminal = terminal;
    this.bar = terminal.interactive() ? Optional.of(build(episodes)) : Optional.empty();
  }

  void reached(int episode) {
    bar.ifPresent(b -> b.stepTo(episode));
  }

  /** The service's own estimate, which knows the pace of the episodes past the warm-up. */
  void left(Duration estimate) {
    left = Optional.of(estimate);
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
        .setEtaFunction(state -> left.isPresent() ? left : extrapolated(state))
        .setConsumer(new BottomLine())
        .build();
  }

  private static Optional<Duration> extrapolated(me.tongfei.progressbar.ProgressState state) {
    long done = state.getCurrent();
    return done == 0
        ? Optional.empty()
        : Optional.of(
            state.getElapsedAfterStart().dividedBy(done).multipliedBy(state.getMax() - done));
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
