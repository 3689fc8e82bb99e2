package dev.haq.agent.grpc;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.rpc.RpcErrors;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blocking calls to another service that can be aborted from any thread, and that wait for the
 * service, if they may, while it is away or busy: neither a restart nor another session's hour of
 * training should cost a search. A service that is away is given up after a while. One that answers
 * that it is busy is not, as it is there and works: it is asked again until it has a place.
 *
 * <p>Aborting cancels the calls' gRPC context; it does not interrupt the thread, which may be
 * reading an embedded database that an interrupt would close.
 */
final class PatientCalls {
  private static final Logger LOG = LoggerFactory.getLogger(PatientCalls.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private final boolean once;
  private final Duration patience;
  private final CancellableContext context = Context.ROOT.withCancellation();
  private final CountDownLatch aborted = new CountDownLatch(1);

  private PatientCalls(boolean once, Duration patience) {
    this.once = once;
    this.patience = patience;
  }

  /**
   * @param patience how long a call is made again while the service is away; a busy one is waited
   *     for however long it takes
   */
  static PatientCalls waiting(Duration patience) {
    return new PatientCalls(false, patience);
  }

  /** One attempt each, for callers who wait for the answer themselves. */
  static PatientCalls once() {
    return new PatientCalls(true, Duration.ZERO);
  }

  /**
   * @param service whom the call goes to, for messages
   * @throws HaqException the service's, or UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED with whom
   *     the call went to; BUSY only where there is one attempt
   */
  <R> R call(String service, Supplier<R> call) {
    return call(service, () -> 0, call);
  }

  /**
   * The same for long work that goes on where it broke off: as long as it comes further from one
   * interruption to the next, any number of them is borne.
   *
   * @param progress how far the work has come, never less than before
   */
  <R> R call(String service, IntSupplier progress, Supplier<R> call) {
    long giveUp = Long.MAX_VALUE; // counts from the first failure: a call may take long before it
    Duration pause = FIRST_PAUSE;
    int reached = progress.getAsInt();
    while (true) {
      try {
        return attempt(call);
      } catch (HaqException e) {
        if (aborted()) {
          throw new HaqException(Reason.CANCELLED, "the call to " + service + " was aborted", e);
        }
        boolean busy = e.reason() == Reason.BUSY;
        if (once || !(busy || e.reason() == Reason.UNAVAILABLE)) {
          throw explained(service, e);
        }
        if (progress.getAsInt() > reached) {
          reached = progress.getAsInt();
          giveUp = Long.MAX_VALUE;
          pause = FIRST_PAUSE;
        }
        if (busy) {
          giveUp = Long.MAX_VALUE;
          LOG.info("{} is busy, trying again in {} ms", service, pause.toMillis());
        } else {
          long now = System.nanoTime();
          if (giveUp == Long.MAX_VALUE) {
            giveUp = now + patience.toNanos();
            pause = FIRST_PAUSE;
          }
          if (now + pause.toNanos() > giveUp) {
            throw explained(service, e);
          }
          LOG.warn("{} does not answer, trying again in {} ms", service, pause.toMillis());
        }
        sleep(pause);
        pause = pause.multipliedBy(2);
        pause = pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
      }
    }
  }

  private <R> R attempt(Supplier<R> call) {
    Context before = context.attach();
    try {
      return RpcErrors.calling(call);
    } finally {
      context.detach(before);
    }
  }

  private static HaqException explained(String service, HaqException e) {
    String text =
        switch (e.reason()) {
          case UNAVAILABLE -> service + " does not answer: " + e.getMessage();
          case DEADLINE_EXCEEDED -> service + " took too long: " + e.getMessage();
          default -> null;
        };
    return text == null ? e : new HaqException(e.reason(), text, e.details(), e);
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

  /** Ends the call under way, and all later ones at once. */
  void abort() {
    aborted.countDown();
    context.cancel(null);
  }
}
