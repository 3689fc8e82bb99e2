package dev.haq.cli;

/**
 * How far counted work is: a line at the bottom for who watches, else a note on standard error
 * after each tenth.
 */
final class ProgressLine implements AutoCloseable {
  private final Terminal terminal;
  private final String work;
  private int tenths;

  /**
   * @param work what is done: "measuring"
   */
  ProgressLine(Terminal terminal, String work) {
    this.terminal = terminal;
    this.work = work;
  }

  void reached(int done, int all, double secondsLeft) {
    String text =
        "%s: %d of %d, %s s left".formatted(work, done, all, Figures.fixed(secondsLeft, 0));
    terminal.bar(text);
    int now = all > 0 ? 10 * done / all : 0;
    if (now > tenths && !terminal.interactive()) {
      tenths = now;
      terminal.note(text);
    }
  }

  @Override
  public void close() {
    terminal.bar("");
  }
}
