package dev.haq.rpc;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.List;

/**
 * One call being served: whether anybody still waits for its answer. Safe for use by any thread.
 */
public final class Call {
  private final List<Runnable> listeners = new ArrayList<>();
  private boolean cancelled;

  Call() {}

  /** Whether the caller has left or its deadline has passed. */
  public synchronized boolean isCancelled() {
    return cancelled;
  }

  /**
   * Throws {@link Reason#CANCELLED} when nobody waits for the answer any more; long work calls this
   * now and then.
   */
  public void throwIfCancelled() {
    if (isCancelled()) {
      throw new HaqException(Reason.CANCELLED, "the caller left, or its deadline passed");
    }
  }

  /** Runs {@code listener} once when the caller leaves; at once when it already has. */
  public void onCancel(Runnable listener) {
    synchronized (this) {
      if (!cancelled) {
        listeners.add(listener);
        return;
      }
    }
    listener.run();
  }

  void cancel() {
    List<Runnable> toRun;
    synchronized (this) {
      if (cancelled) {
        return;
      }
      cancelled = true;
      toRun = List.copyOf(listeners);
      listeners.clear();
    }
    toRun.forEach(Runnable::run);
  }
}
