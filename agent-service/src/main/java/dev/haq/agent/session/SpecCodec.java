package dev.haq.agent.session;

/** Specifications as text that can be stored; {@code decode(encode(s))} equals {@code s}. Port. */
public interface SpecCodec {
  String encode(SessionSpec spec);

  SessionSpec decode(String text);

  /** Whether {@code text}, as some version encoded it, asks for the same as {@code spec}. */
  default boolean isSame(String text, SessionSpec spec) {
    return encode(decode(text)).equals(encode(spec));
  }
}
