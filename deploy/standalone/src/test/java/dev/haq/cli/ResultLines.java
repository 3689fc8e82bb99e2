package dev.haq.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** A CSV file that a benchmark adds a line to for each result, so that it can be made in pieces. */
final class ResultLines {
  private final Path file;

  private ResultLines(Path file) {
    this.file = file;
  }

  /** What is in the file stays. */
  static ResultLines open(Path file, String header) throws IOException {
    if (!Files.exists(file)) {
      Files.writeString(file, header + "\n");
    }
    return new ResultLines(file);
  }

  List<String> beginning(String key) throws IOException {
    return Files.readString(file).lines().filter(line -> line.startsWith(key)).toList();
  }

  void add(String line) throws IOException {
    Files.writeString(file, line + "\n", StandardOpenOption.APPEND);
  }
}
