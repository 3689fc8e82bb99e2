package dev.haq.agent.session;

import java.util.ArrayList;
import java.util.List;

/** A watcher that keeps what it is told, and can be full. */
final class RecordingSink implements WatchSink {
  private static final long PATIENCE_MILLIS = 30_000;

  private final List<Integer> episodes = new ArrayList<>();
  private final List<SessionState> states = new ArrayList<>();
  private final List<Integer> epochs = new ArrayList<>();
  private Runnable drained = () -> {};
  private boolean full;
  private boolean over;
  private RuntimeException failure;

  @Override
  public synchronized void snapshot(SessionRecord session) {
    states.add(session.state());
    notifyAll();
  }

  @Override
  public synchronized void episode(Episode episode) {
    episodes.add(episode.number());
    notifyAll();
  }

  @Override
  public synchronized void state(SessionRecord session) {
    states.add(session.state());
    notifyAll();
  }

  @Override
  public synchronized void tuning(TuningProgress progress) {
    epochs.add(progress.epoch());
    notifyAll();
  }

  @Override
  public synchronized boolean isFull() {
    return full;
  }

  @Override
  public synchronized void onDrain(Runnable listener) {
    drained = listener;
  }

  @Override
  public void onCancel(Runnable listener) {}

  @Override
  public synchronized void end() {
    over = true;
    notifyAll();
  }

  @Override
  public synchronized void fail(RuntimeException cause) {
    failure = cause;
    end();
  }

  /** Why it ended; null where nothing went wrong. */
  synchronized RuntimeException failure() {
    return failure;
  }

  synchronized void fill() {
    full = true;
  }

  void drain() {
    Runnable listener;
    synchronized (this) {
      full = false;
      listener = drained;
    }
    listener.run();
  }

  synchronized List<Integer> episodes() {
    return List.copyOf(episodes);
  }

  synchronized List<SessionState> states() {
    return List.copyOf(states);
  }

  /** Waits until it is told that fine-tuning has come to an epoch. */
  synchronized void awaitEpoch(int epoch) throws InterruptedException {
    await(() -> epochs.contains(epoch), "epoch " + epoch);
  }

  synchronized void awaitEnd() throws InterruptedException {
    await(() -> over, "the end");
  }

  synchronized void awaitEpisode(int number) throws InterruptedException {
    await(() -> episodes.contains(number), "episode " + number);
  }

  /** Waits until {@code state} is the newest. */
  synchronized void awaitState(SessionState state) throws InterruptedException {
    await(() -> !states.isEmpty() && states.get(states.size() - 1) == state, state.name());
  }

  private void await(java.util.function.BooleanSupplier condition, String what)
      throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
    while (!condition.getAsBoolean()) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("waited in vain for " + what + " after " + states + episodes);
      }
      wait(left);
    }
  }
}
