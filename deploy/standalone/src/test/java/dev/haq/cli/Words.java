package dev.haq.cli;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.StringTokenizer;

/** A command line as one would type it. */
final class Words {
  private static final String VALUE = "%s";

  private Words() {}

  /**
   * The words of a line.
   *
   * @param line words with spaces between them; each {@code %s} in it stands for the next value
   * @param values which may have spaces in them
   */
  static List<String> of(String line, Object... values) {
    List<String> words = new ArrayList<>();
    Iterator<Object> next = List.of(values).iterator();
    StringTokenizer rest = new StringTokenizer(line);
    while (rest.hasMoreTokens()) {
      String word = rest.nextToken();
      StringBuilder whole = new StringBuilder();
      int from = 0;
      for (int at = word.indexOf(VALUE); at >= 0; at = word.indexOf(VALUE, from)) {
        whole.append(word, from, at).append(next.next());
        from = at + VALUE.length();
      }
      words.add(whole.append(word, from, word.length()).toString());
    }
    if (next.hasNext()) {
      throw new IllegalArgumentException("no place for " + next.next() + " in " + line);
    }
    return words;
  }
}
