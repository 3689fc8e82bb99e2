package dev.haq.model;

import java.util.Map;

/**
 * A typed error: a {@link Reason} for programs and one line for people that says what is wrong,
 * where, and what to do about it. It crosses service borders unchanged.
 */
public final class HaqException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Reason reason;
  private final transient Map<String, String> details;

  public HaqException(Reason reason, String message) {
    this(reason, message, Map.of(), null);
  }

  public HaqException(Reason reason, String message, Throwable cause) {
    this(reason, message, Map.of(), cause);
  }

  /**
   * @param details figures a program may want, such as {@code smallest_reachable} of an infeasible
   *     budget
   */
  public HaqException(Reason reason, String message, Map<String, String> details, Throwable cause) {
    super(message, cause);
    this.reason = reason;
    this.details = Map.copyOf(details);
  }

  public Reason reason() {
    return reason;
  }

  /** Figures that belong to the error, by name; empty when there are none. */
  public Map<String, String> details() {
    return details == null ? Map.of() : details;
  }

  /** An {@link Reason#INVALID_ARGUMENT} with a formatted message. */
  public static HaqException invalid(String format, Object... args) {
    return new HaqException(
        Reason.INVALID_ARGUMENT, String.format(java.util.Locale.ROOT, format, args));
  }
}
