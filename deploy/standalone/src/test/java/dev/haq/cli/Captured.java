package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One run of the command and all that it printed. */
record Captured(int status, String out, String err) {
  /**
   * Runs in this JVM; the standard streams are its own meanwhile.
   *
   * @param line as of {@link Words#of}
   */
  static Captured run(String line, Object... values) {
    return run(Words.of(line, values));
  }

  static Captured run(List<String> words) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
      int status = Haq.execute(words.toArray(String[]::new));
      return new Captured(
          status,
          outBytes.toString(StandardCharsets.UTF_8),
          errBytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /** This run, which must have done what it was asked for. */
  Captured done() {
    assertEquals(Haq.DONE, status, err);
    return this;
  }

  /**
   * This run must have refused its arguments: in one line, which holds this text, and with nothing
   * else than that line for the caller to read.
   */
  void assertRefused(String text) {
    assertEquals(Haq.WRONG_ARGUMENTS, status, out + err);
    assertEquals("", out);
    assertEquals(1, complaints().size(), err);
    assertTrue(complaints().get(0).contains(text), err);
    assertFalse(err.contains("\tat ") || err.contains("java."), err);
  }

  /** Standard output, which must be one JSON document. */
  JsonNode json() {
    return Json.tree(out);
  }

  /** The lines on standard error that are the command's own, not a log's. */
  List<String> complaints() {
    return err.lines().filter(line -> line.startsWith("haq: ")).toList();
  }

  /** The lines on standard output that tell of an episode each. */
  List<String> episodes() {
    return out.lines().filter(line -> line.startsWith("episode ")).toList();
  }
}
