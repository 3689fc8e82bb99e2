package dev.haq.gateway.http;

import com.google.protobuf.MessageOrBuilder;

/** Server-sent events as text (WHATWG HTML, 9.2), each with the empty line at its end. */
final class Sse {
  /** Stands for an event that a newer service knows and this gateway does not. */
  static final String UNKNOWN = ": event of an unknown kind\n\n";

  private Sse() {}

  /** A message as one line of JSON. */
  static String event(String name, MessageOrBuilder message) {
    return event(name, ProtoJson.print(message));
  }

  /**
   * @param json on one line
   */
  static String event(String name, String json) {
    return text(name, "", json);
  }

  /** An event that a reader which comes back names as the last it has seen. */
  static String event(String name, long id, MessageOrBuilder message) {
    return text(name, "id: " + id + "\n", ProtoJson.print(message));
  }

  private static String text(String name, String id, String json) {
    return "event: " + name + "\n" + id + "data: " + json + "\n\n";
  }
}
