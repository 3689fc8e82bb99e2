package dev.haq.cli;

import dev.haq.proto.quantizer.v1.FineTuneProgress;

/**
 * Prints how far fine-tuning is: a line that is redrawn, or, where nobody watches, one an epoch.
 */
final class TuningLines {
  private final Terminal terminal;
  private int noted;

  TuningLines(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Of another network from here on. */
  void begin() {
    noted = 0;
  }

  void step(FineTuneProgress progress) {
    terminal.bar(line(progress));
    if (!terminal.interactive() && progress.getEpoch() > noted) {
      noted = progress.getEpoch();
      terminal.note(line(progress));
    }
  }

  /** Takes the line away. */
  void end() {
    terminal.bar("");
  }

  private static String line(FineTuneProgress progress) {
    return "epoch %d of %d, step %d of %d, loss %s, %s images/s, %s s left"
        .formatted(
            progress.getEpoch(),
            progress.getEpochs(),
            progress.getStep(),
            progress.getSteps(),
            Figures.fixed(progress.getLoss(), 4),
            Figures.fixed(progress.getImagesPerSecond(), 0),
            Figures.fixed(progress.getSecondsLeft(), 0));
  }
}
