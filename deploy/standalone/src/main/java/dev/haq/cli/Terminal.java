package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The two output streams: results on standard output; with {@code --json} one document there, and
 * what people would have read on standard error.
 */
final class Terminal {
  /** Set by the launcher, which can ask the system; Java 17 cannot for one stream alone. */
  private static final String STDERR_PROPERTY = "haq.stderr.terminal";

  private static final String CLEAR_LINE = "\r\u001b[2K";

  /** All but the ends of lines. */
  private static final Pattern CONTROLS = Pattern.compile("[\\p{Cc}&&[^\n\t]]");

  private final PrintStream out;
  private final PrintStream err;
  private final boolean json;
  private final boolean interactive;
  private String bar = "";

  Terminal(PrintStream out, PrintStream err, boolean json, boolean interactive) {
    this.out = out;
    this.err = err;
    this.json = json;
    this.interactive = interactive;
  }

  static Terminal system(boolean json) {
    return new Terminal(
        new PrintStream(System.out, true, StandardCharsets.UTF_8),
        new PrintStream(System.err, true, StandardCharsets.UTF_8),
        json,
        Boolean.getBoolean(STDERR_PROPERTY));
  }

  boolean json() {
    return json;
  }

  /** Whether a person watches standard error, so that a line there may be redrawn. */
  boolean interactive() {
    return interactive;
  }

  /** A line of the result, for people. */
  synchronized void line(String text) {
    hideBar();
    (json ? err : out).println(printable(text));
    showBar();
  }

  void line(String format, Object... args) {
    line(String.format(java.util.Locale.ROOT, format, args));
  }

  /** A line about what goes on; never part of the result. */
  synchronized void note(String text) {
    hideBar();
    err.println(printable(text));
    showBar();
  }

  /** The one document of {@code --json}. */
  synchronized void document(JsonNode document) {
    out.println(Json.text(document));
  }

  /** The line that stays below all others until it is replaced or emptied. */
  synchronized void bar(String text) {
    if (interactive) {
      hideBar();
      bar = printable(text);
      showBar();
    }
  }

  /** Names come from files of others: what a terminal would obey in them is shown instead. */
  static String printable(String text) {
    return CONTROLS
        .matcher(text)
        .replaceAll(found -> "\\\\x%02x".formatted((int) found.group().charAt(0)));
  }

  private void hideBar() {
    if (!bar.isEmpty()) {
      err.print(CLEAR_LINE);
      err.flush();
    }
  }

  private void showBar() {
    if (!bar.isEmpty()) {
      err.print(bar);
      err.flush();
    }
  }
}
