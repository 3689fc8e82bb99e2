package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class TerminalTest {
  @Test
  void whatATerminalWouldObeyIsShownInstead() {
    ByteArrayOutputStream result = new ByteArrayOutputStream();
    ByteArrayOutputStream notes = new ByteArrayOutputStream();
    Terminal terminal =
        new Terminal(
            new PrintStream(result, true, StandardCharsets.UTF_8),
            new PrintStream(notes, true, StandardCharsets.UTF_8),
            false,
            false);
    terminal.line("a\tline\nand another \u001b[31mred\u0007");
    terminal.note("gone\r\u009b2K");
    String end = System.lineSeparator();
    assertEquals(
        "a\tline\nand another \\x1b[31mred\\x07" + end, result.toString(StandardCharsets.UTF_8));
    assertEquals("gone\\x0d\\x9b2K" + end, notes.toString(StandardCharsets.UTF_8));
  }
}
