package dev.haq.hwsim;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Golden data that is not part of the project; tests that need it are skipped without it. */
public final class SharedData {
  private SharedData() {}

  /** A file of the shared data, or a skipped test. */
  public static Path file(String relative) {
    Path path = Path.of(System.getProperty("haq.shared", ""), "data").resolve(relative);
    assumeTrue(Files.isReadable(path), "no golden data at " + path + ": skipped");
    return path;
  }

  /** Rows of a CSV file by column name; its fields have no quoted commas before the last. */
  public static List<Map<String, String>> csv(String relative) {
    try {
      List<String> lines = Files.readAllLines(file(relative));
      List<String> header = List.of(lines.get(0).split(",", -1));
      return lines.stream()
          .skip(1)
          .map(line -> row(header, line.split(",", header.size())))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, String> row(List<String> header, String[] fields) {
    Map<String, String> row = new HashMap<>();
    for (int i = 0; i < fields.length; i++) {
      row.put(header.get(i), fields[i]);
    }
    return row;
  }
}
