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
 * service, if they may, while it is away: a restart should not cost a search.
 *
 * <p>Aborting cancels the calls' gRPC context; it does not interrupt the thread, which may be
 * reading an embedded database that an interrupt would close.
 */
final class PatientCalls {
  private static final Logger LOG = LoggerFactory.getLogger(PatientCalls.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private final Duration patience;
  private final CancellableContext context = Context.ROOT.withCancellation();
  private final CountDownLatch aborted = new CountDownLatch(1);

  /**
   * @param patience how long a call is made again while the service is away; 0 for one attempt
   */
  PatientCalls(Duration patience) {
    this.patience = patience;
  }

  /**
   * @param service whom the call goes to, for messages
   * @throws HaqException the service's, or UNAVAILABLE, DEADLINE_EXCEEDED or CANCELLED with whom
   *     the call went to
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
        return once(call);
      } catch (HaqException e) {
        boolean away = e.reason() == Reason.UNAVAILABLE || e.reason() == Reason.BUSY;
        if (aborted()) {
          throw new HaqException(Reason.CANCELLED, "the call to " + service + " was aborted", e);
        }
        long now = System.nanoTime();
        if (giveUp == Long.MAX_VALUE || progress.getAsInt() > reached) {
          reached = progress.getAsInt();
          giveUp = now + patience.toNanos();
          pause = FIRST_PAUSE;
        }
        if (!away || now + pause.toNanos() > giveUp) {
          throw explained(service, e);
        }
        LOG.warn("{} does not answer, trying again in {} ms", service, pause.toMillis());
        sleep(pause);
        pause = pause.multipliedBy(2);
        pause = pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
      }
    }
  }

  private <R> R once(Supplier<R> call) {
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
