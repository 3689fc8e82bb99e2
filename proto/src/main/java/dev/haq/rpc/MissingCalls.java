package dev.haq.rpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

/** Has a call that its service lacks end with the name of the call, for {@link RpcErrors}. */
final class MissingCalls implements ClientInterceptor {
  static final Metadata.Key<String> CALL =
      Metadata.Key.of("haq-missing-call", Metadata.ASCII_STRING_MARSHALLER);

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        super.start(
            new SimpleForwardingClientCallListener<>(listener) {
              @Override
              public void onClose(Status status, Metadata trailers) {
                if (status.getCode() == Status.Code.UNIMPLEMENTED) {
                  trailers.put(CALL, method.getFullMethodName());
                }
                super.onClose(status, trailers);
              }
            },
            headers);
      }
    };
  }
}
