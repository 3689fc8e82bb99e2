package dev.haq.agent.grpc;

import dev.haq.agent.session.Patience;
import dev.haq.model.HaqException;
import dev.haq.rpc.RpcErrors;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import java.time.Duration;
import java.util.function.IntSupplier;
import java.util.function.Supplier;

/**
 * Blocking calls to another service that can be aborted from any thread, and that wait for the
 * service, if they may, while it is away or busy; see {@link Patience}.
 *
 * <p>Aborting cancels the calls' gRPC context; it does not interrupt the thread, which may be
 * reading an embedded database that an interrupt would close.
 */
final class PatientCalls {
  private final Patience patience;
  private final CancellableContext context = Context.ROOT.withCancellation();

  private PatientCalls(Patience patience) {
    this.patience = patience;
  }

  /**
   * @param away as of {@link Patience#waiting}
   */
  static PatientCalls waiting(Duration away) {
    return new PatientCalls(Patience.waiting(away));
  }

  /** One attempt each, for callers who wait for the answer themselves. */
  static PatientCalls once() {
    return new PatientCalls(Patience.once());
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
   * The same for long work that goes on where it broke off.
   *
   * @param progress as of {@link Patience#call(String, IntSupplier, Supplier)}
   */
  <R> R call(String service, IntSupplier progress, Supplier<R> call) {
    try {
      return patience.call(service, progress, () -> attempt(call));
    } catch (HaqException e) {
      throw explained(service, e);
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
    String missing = e.details().get(RpcErrors.MISSING_CALL);
    if (missing != null) {
      return new HaqException(e.reason(), RpcErrors.lacking(service, missing), e.details(), e);
    }
    String text =
        switch (e.reason()) {
          case UNAVAILABLE -> service + " does not answer: " + e.getMessage();
          case DEADLINE_EXCEEDED -> service + " took too long: " + e.getMessage();
          default -> null;
        };
    return text == null ? e : new HaqException(e.reason(), text, e.details(), e);
  }

  /** Ends the call under way, and all later ones at once. */
  void abort() {
    patience.abort();
    context.cancel(null);
  }
}
