package dev.haq.rpc;

/**
 * The receiving end of a client-streaming call. Its methods are called one at a time, on worker
 * threads, so they may block; the caller is held back meanwhile.
 */
public interface ClientStream<Q, R> {
  /** Takes the next message. */
  void next(Q message);

  /** All messages have come: the answer. */
  R end();

  /**
   * The caller left, or a method of this stream failed; nothing else is called after this. Drops
   * what was begun.
   */
  void cancelled();
}
