package dev.haq.agent.session;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a call again, if it may, while whoever it goes to is away or busy: neither a restart nor
 * another session's hour of training should cost a search. One that is away is given up after a
 * while. One that answers that it is busy is not, as it is there and works: it is asked again until
 * it has a place. A call whose time is over may have spent it in a line, or may be too long for any
 * time it is given: it is made a few times.
 */
public final class Patience {
  private static final Logger LOG = LoggerFactory.getLogger(Patience.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  /** A call is made so often in all whose time is over before it is answered. */
  private static final int MOST_TIMES = 3;

  private final boolean once;
  private final Duration away;
  private final CountDownLatch aborted = new CountDownLatch(1);

  private Patience(boolean once, Duration away) {
    this.once = once;
    this.away = away;
  }

  /**
   * @param away how long a call is made again while nobody answers; who is busy is waited for
   *     however long it takes
   */
  public static Patience waiting(Duration away) {
    return new Patience(false, away);
  }

  /** One attempt each, for callers who wait for the answer themselves. */
  public static Patience once() {
    return new Patience(true, Duration.ZERO);
  }

  /**
   * @param callee whom the call goes to, for messages
   * @throws HaqException the call's, or CANCELLED; BUSY only where there is one attempt
   */
  public <R> R call(String callee, Supplier<R> call) {
    return call(callee, () -> 0, call);
  }

  /**
   * The same for long work that goes on where it broke off: as long as it comes further from one
   * interruption to the next, any number of them is borne.
   *
   * @param progress how far the work has come, never less than before
   */
  public <R> R call(String callee, IntSupplier progress, Supplier<R> call) {
    long giveUp = Long.MAX_VALUE; // counts from the first failure: a call may take long before it
    Duration pause = FIRST_PAUSE;
    int reached = progress.getAsInt();
    int late = 0;
    while (true) {
      try {
        return call.get();
      } catch (HaqException e) {
        if (aborted()) {
          throw new HaqException(Reason.CANCELLED, "the call to " + callee + " was aborted", e);
        }
        boolean busy = e.reason() == Reason.BUSY;
        boolean over = e.reason() == Reason.DEADLINE_EXCEEDED;
        if (once || !(busy || over || e.reason() == Reason.UNAVAILABLE)) {
          throw e;
        }
        if (progress.getAsInt() > reached) {
          reached = progress.getAsInt();
          giveUp = Long.MAX_VALUE;
          pause = FIRST_PAUSE;
          late = 0;
        }
        if (busy) {
          giveUp = Long.MAX_VALUE;
          LOG.info("{} is busy, trying again in {} ms", callee, pause.toMillis());
        } else if (over) {
          giveUp = Long.MAX_VALUE;
          late++;
          if (late == MOST_TIMES) {
            throw e;
          }
          LOG.warn("{} has not answered in time, trying again: {}", callee, e.getMessage());
        } else {
          long now = System.nanoTime();
          if (giveUp == Long.MAX_VALUE) {
            giveUp = now + away.toNanos();
            pause = FIRST_PAUSE;
          }
          if (now + pause.toNanos() > giveUp) {
            throw e;
          }
          LOG.warn("{} does not answer, trying again in {} ms", callee, pause.toMillis());
        }
        sleep(pause);
        pause = pause.multipliedBy(2);
        pause = pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
      }
    }
  }

  private boolean aborted() {
    return aborted.getCount() == 0;
  }

  private void sleep(Duration pause) {
    try {
      if (aborted.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new HaqException(Reason.CANCELLED, "the call was aborted");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HaqException(Reason.CANCELLED, "the call was interrupted", e);
    }
  }

  /** From now on no call is made again. Any thread. */
  public void abort() {
    aborted.countDown();
  }
}
