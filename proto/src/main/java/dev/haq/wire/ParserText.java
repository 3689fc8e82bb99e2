package dev.haq.wire;

import com.fasterxml.jackson.core.JsonProcessingException;

/** What a parser of JSON or YAML says, for the people who wrote the text. */
public final class ParserText {
  /** The parser's advice on its own settings, which whoever wrote the text cannot change. */
  private static final String ADVICE =
      ": enable `[^`]*` to allow|, from `[^`]*`| \\(not recognized as one since [^)]*\\)";

  private ParserText() {}

  /** The first line of what is wrong, without the place and without advice on Java settings. */
  public static String of(JsonProcessingException e) {
    String first = e.getOriginalMessage().lines().findFirst().orElse("");
    return first.replaceAll(ADVICE, "");
  }
}
