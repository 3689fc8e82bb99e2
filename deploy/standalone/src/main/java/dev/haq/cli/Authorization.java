package dev.haq.cli;

import dev.haq.model.HaqException;
import java.util.Map;
import java.util.Optional;

/**
 * What a proxy before a gateway is told of who asks. It goes to the gateway of {@code --server}
 * alone, and into no message.
 */
record Authorization(String value) {
  static final String VARIABLE = "HAQ_AUTHORIZATION";
  static final String HEADER = "Authorization";

  static Optional<Authorization> ofEnvironment() {
    return of(System.getenv());
  }

  static Optional<Authorization> of(Map<String, String> environment) {
    String value = environment.getOrDefault(VARIABLE, "").strip();
    if (value.chars().anyMatch(c -> c < ' ' || c > '~')) {
      throw HaqException.invalid(
          "%s holds a character that no header may: give it one line of ASCII", VARIABLE);
    }
    return value.isEmpty() ? Optional.empty() : Optional.of(new Authorization(value));
  }

  /** Not the value. */
  @Override
  public String toString() {
    return VARIABLE;
  }
}
