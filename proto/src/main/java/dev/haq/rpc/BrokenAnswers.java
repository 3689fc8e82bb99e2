package dev.haq.rpc;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.protobuf.ProtoMethodDescriptorSupplier;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a call again when its replica died after its answer had begun. gRPC's own retry gives up at
 * the first byte of an answer (gRFC A6), so it cannot do this; here the answer of a call with one
 * request and one answer is kept until it is whole.
 *
 * <p>Only for methods whose {@code idempotency_level} in the contract says that a second call does
 * no harm. What gRPC retries itself, answers that had not begun, is left to it.
 */
final class BrokenAnswers implements ClientInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(BrokenAnswers.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(10);
  private static final double LONGER = 2;
  private static final ScheduledExecutorService PAUSES =
      Executors.newSingleThreadScheduledExecutor(
          work -> {
            Thread thread = new Thread(work, "rpc-retry");
            thread.setDaemon(true);
            return thread;
          });

  private final Retry retry;

  /**
   * @param maxAttempts of one call, the first included
   */
  BrokenAnswers(int maxAttempts) {
    this.retry =
        Retry.of(
            "broken answers",
            RetryConfig.<Outcome<?>>custom()
                .maxAttempts(maxAttempts)
                .intervalFunction(IntervalFunction.ofExponentialRandomBackoff(FIRST_PAUSE, LONGER))
                .retryOnResult(Outcome::broken)
                .retryOnException(e -> false)
                .build());
    retry
        .getEventPublisher()
        .onRetry(event -> LOG.info("an answer broke off, its replica is gone: asking another"));
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return mayBeRepeated(method)
        ? new WholeCall<>(method, options, next, retry)
        : next.newCall(method, options);
  }

  private static boolean mayBeRepeated(MethodDescriptor<?, ?> method) {
    return method.getType() == MethodType.UNARY
        && method.getSchemaDescriptor() instanceof ProtoMethodDescriptorSupplier contract
        && contract.getMethodDescriptor().getOptions().getIdempotencyLevel()
            != IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
  }

  /**
   * How an attempt ended.
   *
   * @param headers null when the answer had not begun
   * @param message null when there is none
   */
  private record Outcome<R>(Metadata headers, R message, Status status, Metadata trailers) {
    boolean broken() {
      return headers != null && status.getCode() == Status.Code.UNAVAILABLE;
    }

    void deliver(ClientCall.Listener<R> listener) {
      if (headers != null) {
        listener.onHeaders(headers);
      }
      if (message != null && status.isOk()) {
        listener.onMessage(message);
      }
      listener.onClose(status, trailers);
    }
  }

  /**
   * One call, in as many attempts as it takes. The caller asks for its one answer before it closes
   * its side, as all stubs do, so that nothing has to be held back.
   */
  private static final class WholeCall<Q, R> extends ClientCall<Q, R> {
    private final MethodDescriptor<Q, R> method;
    private final CallOptions options;
    private final Channel next;
    private final Retry retry;

    private Listener<R> listener;
    private Metadata headers;
    private Q message;

    // What follows is guarded by this.
    private ClientCall<Q, R> attempt;
    private Status cancelled;

    WholeCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next, Retry retry) {
      this.method = method;
      this.options = options;
      this.next = next;
      this.retry = retry;
    }

    @Override
    public void start(Listener<R> responseListener, Metadata requestHeaders) {
      this.listener = responseListener;
      this.headers = requestHeaders;
    }

    @Override
    public void request(int numMessages) {}

    @Override
    public void sendMessage(Q request) {
      this.message = request;
    }

    @Override
    public void halfClose() {
      retry
          .<Outcome<R>>executeCompletionStage(PAUSES, this::attempt)
          .whenComplete(
              (outcome, failure) ->
                  tell(
                      () -> {
                        if (failure == null) {
                          outcome.deliver(listener);
                        } else {
                          listener.onClose(Status.fromThrowable(failure), new Metadata());
                        }
                      }));
    }

    /**
     * Tells the caller on the executor it listens to, as gRPC itself does: a blocking caller sleeps
     * until that executor has work, and this may be a thread of the pauses.
     */
    private void tell(Runnable news) {
      Executor executor = options.getExecutor();
      if (executor == null) {
        news.run();
      } else {
        executor.execute(news);
      }
    }

    private CompletionStage<Outcome<R>> attempt() {
      CompletableFuture<Outcome<R>> outcome = new CompletableFuture<>();
      Metadata sent = new Metadata();
      sent.merge(headers);
      // The caller's context ends a call by its cancel(), see CallerContext.
      Context before = Context.ROOT.attach();
      try {
        ClientCall<Q, R> call = next.newCall(method, options);
        call.start(new Collector<>(outcome), sent);
        if (!begin(call)) {
          return outcome;
        }
        // Two, so that a second answer, which must not be, is noticed.
        call.request(2);
        call.sendMessage(message);
        call.halfClose();
      } finally {
        Context.ROOT.detach(before);
      }
      return outcome;
    }

    /** Whether the caller still wants the answer. */
    private synchronized boolean begin(ClientCall<Q, R> call) {
      attempt = call;
      if (cancelled != null) {
        call.cancel(cancelled.getDescription(), cancelled.getCause());
      }
      return cancelled == null;
    }

    @Override
    public void cancel(String reason, Throwable cause) {
      boolean sending;
      synchronized (this) {
        if (cancelled != null) {
          return;
        }
        cancelled = Status.CANCELLED.withDescription(reason).withCause(cause);
        sending = attempt != null;
        if (sending) {
          attempt.cancel(reason, cause);
        }
      }
      if (!sending && listener != null) {
        tell(() -> listener.onClose(cancelled, new Metadata()));
      }
    }
  }

  /** Keeps an answer until it is whole. */
  private static final class Collector<R> extends ClientCall.Listener<R> {
    private final CompletableFuture<Outcome<R>> outcome;
    private Metadata headers;
    private R message;

    Collector(CompletableFuture<Outcome<R>> outcome) {
      this.outcome = outcome;
    }

    @Override
    public void onHeaders(Metadata received) {
      headers = received;
    }

    @Override
    public void onMessage(R received) {
      message = received;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      outcome.complete(new Outcome<>(headers, message, status, trailers));
    }
  }
}
