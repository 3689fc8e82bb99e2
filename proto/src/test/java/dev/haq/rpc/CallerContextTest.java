package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.proto.agent.v1.GetSessionRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.SearchAgentGrpc.SearchAgentBlockingStub;
import dev.haq.proto.agent.v1.SearchAgentGrpcService;
import dev.haq.proto.agent.v1.Session;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CallerContextTest {
  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch answered = new CountDownLatch(1);
  private RpcServer server;
  private RpcChannel channel;

  @BeforeEach
  void serve() {
    server =
        RpcServer.builder(runtime, "test")
            .host("127.0.0.1")
            .service(
                RpcService.named(
                        SearchAgentGrpcService.SERVICE_NAME,
                        SearchAgentGrpcService.SERVICE_DESCRIPTOR)
                    .unary(SearchAgentGrpcService.GetSession, (request, call) -> answer(request)))
            .start();
    channel = RpcChannel.open("127.0.0.1:" + server.port(), Duration.ofSeconds(30));
  }

  @AfterEach
  void stop() {
    answered.countDown();
    channel.close();
    server.close();
    timer.shutdownNow();
    runtime.close();
  }

  private Session answer(GetSessionRequest request) {
    if (request.getId().equals("slow")) {
      asked.countDown();
      try {
        answered.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    return Session.getDefaultInstance();
  }

  private static GetSessionRequest id(String id) {
    return GetSessionRequest.newBuilder().setId(id).build();
  }

  /** The channel's work is done in this context, that of its health watch too. */
  @Test
  void whatTheChannelDoesForACallIsDoneOutsideTheCallersContext() throws Exception {
    AtomicReference<Context> seen = new AtomicReference<>();
    ClientInterceptor looks =
        new ClientInterceptor() {
          @Override
          public <Q, R> ClientCall<Q, R> interceptCall(
              MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
            seen.set(Context.current());
            return next.newCall(method, options);
          }
        };
    Channel looked =
        ClientInterceptors.interceptForward(channel.channel(), new CallerContext(), looks);
    try (CancellableContext caller = Context.current().withCancellation()) {
      caller.call(() -> SearchAgentGrpc.newBlockingStub(looked).getSession(id("quick")));
    }
    assertSame(Context.ROOT, seen.get());
  }

  @Test
  void aCallerThatIsCancelledCancelsItsCall() throws Exception {
    SearchAgentBlockingStub stub = SearchAgentGrpc.newBlockingStub(channel.channel());
    CancellableContext caller = Context.current().withCancellation();
    var call = timer.submit(() -> caller.call(() -> stub.getSession(id("slow"))));
    asked.await();
    caller.cancel(null);

    ExecutionException error =
        assertThrows(ExecutionException.class, () -> call.get(10, TimeUnit.SECONDS));
    assertEquals(Status.Code.CANCELLED, Status.fromThrowable(error.getCause()).getCode());
  }

  @Test
  void theCallersDeadlineIsTheCalls() {
    SearchAgentBlockingStub stub = SearchAgentGrpc.newBlockingStub(channel.channel());
    try (CancellableContext caller =
        Context.current().withDeadlineAfter(300, TimeUnit.MILLISECONDS, timer)) {
      StatusRuntimeException error =
          assertThrows(
              StatusRuntimeException.class, () -> caller.call(() -> stub.getSession(id("slow"))));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, error.getStatus().getCode());
    }
  }
}
