package dev.haq.gateway.grpc;

import java.util.concurrent.atomic.AtomicLong;

/** How many bytes of callers' messages this gateway holds. Safe for use by many threads. */
final class MessageRoom {
  /** How many of the largest messages may be held at a time, or more that are smaller. */
  static final int MOST_HELD = 8;

  private final long most;
  private final AtomicLong held = new AtomicLong();

  /**
   * @param largest message, in bytes
   */
  MessageRoom(long largest) {
    this.most = MOST_HELD * largest;
  }

  /** Whether there is room for so many bytes more; they are held then. */
  boolean take(long bytes) {
    if (held.addAndGet(bytes) > most) {
      held.addAndGet(-bytes);
      return false;
    }
    return true;
  }

  void giveBack(long bytes) {
    held.addAndGet(-bytes);
  }
}
