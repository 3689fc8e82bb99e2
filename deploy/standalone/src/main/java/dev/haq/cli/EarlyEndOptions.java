package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.proto.agent.v1.EarlyEnds;
import dev.haq.proto.agent.v1.SessionSpec;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import picocli.CommandLine.Option;

/** What ends a search before all its episodes are done; the best policy is kept. */
final class EarlyEndOptions {
  private static final String MAX_TIME = "--max-time";

  @Option(
      names = MAX_TIME,
      paramLabel = "TIME",
      description =
          "Ends the search once its episodes have taken this long, such as 30m, 2h or 1h30m;"
              + " interruptions do not count.")
  private String maxTime;

  @Option(
      names = "--patience",
      paramLabel = "EPISODES",
      description = "Ends the search after so many episodes in a row without a better reward.")
  private Integer patience;

  @Option(
      names = "--goal",
      paramLabel = "TOP1",
      description =
          "Ends the search once the best policy has this top-1 accuracy on the search images, in"
              + " per cent.")
  private Double goal;

  /** Adds what was given; without any, only the number of episodes ends the search. */
  void fill(SessionSpec.Builder spec) {
    EarlyEnds.Builder ends = EarlyEnds.newBuilder();
    if (maxTime != null) {
      ends.setWallSeconds(seconds(maxTime));
    }
    if (patience != null) {
      if (patience < 1) {
        throw HaqException.invalid("--patience %d: use at least 1", patience);
      }
      ends.setEpisodesWithoutImprovement(patience);
    }
    if (goal != null) {
      if (!(goal >= 0 && goal <= 100)) {
        throw HaqException.invalid("--goal %s: it is a percentage, 0 to 100", goal);
      }
      ends.setTop1(goal);
    }
    if (!ends.build().equals(EarlyEnds.getDefaultInstance())) {
      spec.setEarlyEnds(ends);
    }
  }

  /** ISO 8601 without its PT, in any case: {@code 90s}, {@code 1h30m}. */
  private static double seconds(String text) {
    try {
      Duration time = Duration.parse("PT" + text.toUpperCase(Locale.ROOT));
      if (time.compareTo(Duration.ZERO) > 0) {
        return time.toMillis() / 1e3;
      }
    } catch (DateTimeParseException e) {
      // The message below says what to write.
    }
    throw HaqException.invalid(
        "%s %s: give a time above 0 such as 90s, 30m, 2h or 1h30m", MAX_TIME, text);
  }
}
