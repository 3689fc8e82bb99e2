package dev.haq.agent.session;

/** Where a watcher's events go. Port: a stream of messages answers. Its methods do not block. */
public interface WatchSink {
  /** The first event: the session as it stands. */
  void snapshot(SessionRecord session);

  void episode(Episode episode);

  /** The session after a change that has an etag of its own. */
  void state(SessionRecord session);

  /** How far the final fine-tuning is. */
  void tuning(TuningProgress progress);

  /** Whether the receiver is behind. */
  boolean isFull();

  /** Calls {@code listener} whenever the receiver has caught up. */
  void onDrain(Runnable listener);

  /** Calls {@code listener} when the receiver has gone. */
  void onCancel(Runnable listener);

  /** Nothing else will come. */
  void end();

  void fail(RuntimeException failure);
}
