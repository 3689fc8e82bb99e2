package dev.haq.rpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.TimeoutException;

/**
 * Makes calls outside their caller's gRPC context, and passes on its deadline and its end.
 *
 * <p>A channel does work of its own, such as watching whether its replicas are healthy, on
 * whichever thread makes a call. In that thread's context the watch would end when the caller is
 * cancelled, and with it the calls of everybody else.
 */
final class CallerContext implements ClientInterceptor {
  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    Context caller = Context.current();
    Deadline deadline = caller.getDeadline();
    CallOptions bounded =
        deadline == null
                || (options.getDeadline() != null && options.getDeadline().isBefore(deadline))
            ? options
            : options.withDeadline(deadline);
    Context before = Context.ROOT.attach();
    try {
      return new Outside<>(caller, next.newCall(method, bounded));
    } finally {
      Context.ROOT.detach(before);
    }
  }

  private static final class Outside<Q, R> extends SimpleForwardingClientCall<Q, R> {
    private final Context caller;
    private final Context.CancellationListener end = this::callerEnded;
    private volatile boolean closed;

    Outside(Context caller, ClientCall<Q, R> call) {
      super(call);
      this.caller = caller;
    }

    @Override
    public void start(Listener<R> listener, Metadata headers) {
      Listener<R> own =
          new SimpleForwardingClientCallListener<>(listener) {
            @Override
            public void onClose(Status status, Metadata trailers) {
              closed = true;
              caller.removeListener(end);
              super.onClose(status, trailers);
            }
          };
      Context.ROOT.run(() -> super.start(own, headers));
      caller.addListener(end, Runnable::run);
      if (closed) {
        caller.removeListener(end);
      }
    }

    @Override
    public void cancel(String message, Throwable cause) {
      Context.ROOT.run(() -> super.cancel(message, cause));
    }

    /** A deadline that passes ends the call by itself, with the status that says so. */
    private void callerEnded(Context context) {
      if (!(context.cancellationCause() instanceof TimeoutException)) {
        cancel("the caller was cancelled", context.cancellationCause());
      }
    }
  }
}
