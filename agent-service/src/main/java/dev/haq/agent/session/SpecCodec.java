package dev.haq.agent.session;

/** Specifications as text that can be stored; {@code decode(encode(s))} equals {@code s}. Port. */
public interface SpecCodec {
  String encode(SessionSpec spec);

  SessionSpec decode(String text);
}
