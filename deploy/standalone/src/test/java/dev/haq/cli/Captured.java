package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One run of the command and all that it printed. */
record Captured(int status, String out, String err) {
  /** Runs in this JVM; the standard streams are its own meanwhile. */
  static Captured run(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(outBytes, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errBytes, true, StandardCharsets.UTF_8));
      int status = Haq.execute(args);
      return new Captured(
          status,
          outBytes.toString(StandardCharsets.UTF_8),
          errBytes.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }

  /** Standard output, which must be one JSON document. */
  JsonNode json() {
    return Json.tree(out);
  }

  /** The lines on standard error that are the command's own, not a log's. */
  List<String> complaints() {
    return err.lines().filter(line -> line.startsWith("haq: ")).toList();
  }
}
