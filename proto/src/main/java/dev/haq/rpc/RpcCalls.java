package dev.haq.rpc;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.grpc.common.GrpcStatus;
import io.vertx.grpc.server.GrpcServerRequest;
import io.vertx.grpc.server.GrpcServerResponse;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;

/** Carries calls from the event loop to worker threads and their answers back. */
final class RpcCalls {
  private static final long NO_TIMER = -1;

  private final Vertx vertx;
  private final ExecutorService workers;
  private final MeterRegistry metrics;

  RpcCalls(Vertx vertx, ExecutorService workers, MeterRegistry metrics) {
    this.vertx = vertx;
    this.workers = workers;
    this.metrics = metrics;
  }

  <Q, R> void unary(GrpcServerRequest<Q, R> request, BiFunction<Q, Call, R> handler) {
    Exchange<Q, R> exchange = new Exchange<>(request);
    request.handler(
        message -> exchange.onWorker(() -> exchange.answer(handler.apply(message, exchange.call))));
  }

  <Q, R> void serverStream(
      GrpcServerRequest<Q, R> request, BiConsumer<Q, ResponseStream<R>> handler) {
    Exchange<Q, R> exchange = new Exchange<>(request);
    ResponseStream<R> out =
        new ResponseStream<>(
            exchange.context, request.response(), exchange.call, exchange::close, workers);
    request.handler(
        message ->
            exchange.onWorker(
                () -> {
                  try {
                    handler.accept(message, out);
                  } catch (RuntimeException e) {
                    out.fail(e);
                  }
                }));
  }

  <Q, R> void clientStream(
      GrpcServerRequest<Q, R> request, Function<Call, ClientStream<Q, R>> handler) {
    Exchange<Q, R> exchange = new Exchange<>(request);
    new Upload<>(exchange, request, handler).start();
  }

  /** One call: its context, whether it still has a caller, and its single answer. */
  private final class Exchange<Q, R> {
    final Call call = new Call();
    final Context context = vertx.getOrCreateContext();
    private final GrpcServerResponse<Q, R> response;
    private final String method;
    private final Timer.Sample started = Timer.start(metrics);
    private long deadlineTimer = NO_TIMER;
    private boolean closed;

    Exchange(GrpcServerRequest<Q, R> request) {
      this.response = request.response();
      this.method = request.fullMethodName();
      request.exceptionHandler(e -> call.cancel());
      request.errorHandler(e -> call.cancel());
      response.exceptionHandler(e -> call.cancel());
      if (request.timeout() > 0) {
        // The library answers DEADLINE_EXCEEDED by itself; this stops the work that nobody waits
        // for any more.
        deadlineTimer = vertx.setTimer(request.timeout(), id -> call.cancel());
      }
      call.onCancel(() -> context.runOnContext(v -> close(GrpcStatus.CANCELLED)));
    }

    void onWorker(Runnable work) {
      try {
        workers.execute(
            () -> {
              try {
                work.run();
              } catch (Throwable e) {
                fail(e);
              }
            });
      } catch (RejectedExecutionException e) {
        fail(
            new HaqException(
                Reason.UNAVAILABLE,
                "the service is stopping: call again, another replica answers",
                e));
      }
    }

    void answer(R message) {
      finish(GrpcStatus.OK, () -> response.end(message));
    }

    void fail(Throwable failure) {
      finish(
          RpcErrors.status(RpcErrors.translate(failure).reason()),
          () -> RpcErrors.send(failure, response));
    }

    private void finish(GrpcStatus status, Runnable sending) {
      context.runOnContext(
          v -> {
            // Nothing may be sent to a caller that has left, which is told before the call is
            // closed.
            if (!closed && !call.isCancelled()) {
              close(status);
              sending.run();
            }
          });
    }

    /**
     * The call is over, one way or another: nothing of it is kept. On the call's context, first one
     * counts.
     */
    void close(GrpcStatus status) {
      if (closed) {
        return;
      }
      closed = true;
      vertx.cancelTimer(deadlineTimer);
      started.stop(
          Timer.builder("haq.rpc.server")
              .description("Calls served, by method and status")
              .tag("method", method)
              .tag("status", status.name())
              .register(metrics));
    }
  }

  /** A client-streaming call: fetches one message, lets a worker take it, fetches the next. */
  private static final class Upload<Q, R> {
    private final Exchange<Q, R> exchange;
    private final GrpcServerRequest<Q, R> request;
    private final Function<Call, ClientStream<Q, R>> handler;
    private ClientStream<Q, R> stream;
    private boolean busy;
    private boolean ended;
    private boolean closed;

    Upload(
        Exchange<Q, R> exchange,
        GrpcServerRequest<Q, R> request,
        Function<Call, ClientStream<Q, R>> handler) {
      this.exchange = exchange;
      this.request = request;
      this.handler = handler;
    }

    // All state below is touched on the call's context alone; only the bodies given to step() run
    // on workers, one at a time.
    void start() {
      request.pause();
      request.handler(message -> step(() -> stream.next(message), () -> request.fetch(1)));
      request.endHandler(
          v -> {
            ended = true;
            endWhenIdle();
          });
      exchange.call.onCancel(() -> exchange.context.runOnContext(v -> closeWhenIdle()));
      step(
          () -> stream = handler.apply(exchange.call),
          () -> {
            // Until then callers keep all that they send for another attempt.
            exchange.response.writeHead();
            request.fetch(1);
          });
    }

    private void step(Runnable work, Runnable then) {
      busy = true;
      exchange.onWorker(
          () -> {
            Throwable failure = null;
            try {
              work.run();
            } catch (Throwable e) {
              failure = e;
            }
            Throwable thrown = failure;
            exchange.context.runOnContext(
                v -> {
                  busy = false;
                  if (thrown != null) {
                    exchange.fail(thrown);
                    closeWhenIdle();
                  } else if (exchange.call.isCancelled()) {
                    closeWhenIdle();
                  } else {
                    then.run();
                    endWhenIdle();
                  }
                });
          });
    }

    private void endWhenIdle() {
      if (ended && !busy && !closed) {
        closed = true;
        exchange.onWorker(
            () -> {
              R answer;
              try {
                answer = stream.end();
              } catch (Throwable e) {
                stream.cancelled();
                throw e;
              }
              exchange.answer(answer);
            });
      }
    }

    private void closeWhenIdle() {
      if (!busy && !closed) {
        closed = true;
        if (stream != null) {
          exchange.onWorker(stream::cancelled);
        }
      }
    }
  }
}
