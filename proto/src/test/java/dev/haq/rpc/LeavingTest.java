package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.SearchAgentGrpcService;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.WatchSessionRequest;
import io.grpc.Context;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Receivers of streams that leave: their calls end, the others' go on, and nothing is logged. */
class LeavingTest {
  private static final Logger ROOT = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);

  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();

  @BeforeEach
  void listen() {
    logged.start();
    ROOT.addAppender(logged);
  }

  @AfterEach
  void stop() {
    ROOT.detachAppender(logged);
    runtime.close();
  }

  private List<String> complaints() {
    return List.copyOf(logged.list).stream()
        .filter(event -> event.getLevel().isGreaterOrEqual(Level.WARN))
        // Servers in one process share their gauges, which it mentions once.
        .filter(event -> !event.getLoggerName().startsWith("io.micrometer."))
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private RpcServer serve(RpcService service) {
    return RpcServer.builder(runtime, "test").host("127.0.0.1").service(service).start();
  }

  private static RpcChannel channel(RpcServer server) {
    return RpcChannel.open("127.0.0.1:" + server.port(), Duration.ofSeconds(10));
  }

  @Test
  void aReceiverThatLeavesCancelsItsStreamAndNothingIsLogged() throws InterruptedException {
    CountDownLatch left = new CountDownLatch(1);
    CountDownLatch sentAfterwards = new CountDownLatch(1);
    RpcService service =
        RpcService.named(
                SearchAgentGrpcService.SERVICE_NAME, SearchAgentGrpcService.SERVICE_DESCRIPTOR)
            .unary(SearchAgentGrpcService.GetSession, (q, call) -> Session.getDefaultInstance())
            .serverStream(
                SearchAgentGrpcService.WatchSession,
                (WatchSessionRequest request, ResponseStream<SessionEvent> out) -> {
                  out.onCancel(left::countDown);
                  while (left.getCount() > 0) { // also while the caller is leaving
                    if (!out.isFull()) {
                      out.send(SessionEvent.getDefaultInstance());
                    }
                  }
                  out.send(SessionEvent.getDefaultInstance());
                  out.fail(new IllegalStateException("nobody hears this"));
                  sentAfterwards.countDown();
                });
    RpcServer server = serve(service);
    try (RpcChannel channel = channel(server)) {
      BlockingQueue<SessionEvent> events = new LinkedBlockingQueue<>();
      Context.CancellableContext caller = Context.current().withCancellation();
      caller.run(
          () ->
              SearchAgentGrpc.newStub(channel.channel())
                  .watchSession(WatchSessionRequest.getDefaultInstance(), into(events)));
      for (int i = 0; i < 100; i++) {
        assertTrue(events.poll(10, TimeUnit.SECONDS) != null);
      }
      caller.cancel(null);

      assertTrue(left.await(10, TimeUnit.SECONDS), "the stream was not told");
      assertTrue(sentAfterwards.await(10, TimeUnit.SECONDS));
    }
    server.close();
    assertEquals(List.of(), complaints());
  }

  @Test
  void aHealthWatcherThatLeavesIsForgottenAndTheOthersAreStillTold() throws InterruptedException {
    RpcServer server =
        serve(
            RpcService.named(
                SearchAgentGrpcService.SERVICE_NAME, SearchAgentGrpcService.SERVICE_DESCRIPTOR));
    try (RpcChannel channel = channel(server)) {
      Context.CancellableContext[] leaving = new Context.CancellableContext[8];
      for (int i = 0; i < leaving.length; i++) {
        BlockingQueue<HealthCheckResponse> answers = new LinkedBlockingQueue<>();
        leaving[i] = Context.current().withCancellation();
        leaving[i].run(() -> watchHealth(channel, answers));
        assertEquals(ServingStatus.SERVING, next(answers));
      }
      BlockingQueue<HealthCheckResponse> staying = new LinkedBlockingQueue<>();
      watchHealth(channel, staying);
      assertEquals(ServingStatus.SERVING, next(staying));
      for (Context.CancellableContext each : leaving) {
        each.cancel(null);
      }

      Thread stopper = new Thread(server::close, "stopper");
      stopper.start();
      assertEquals(ServingStatus.NOT_SERVING, next(staying));
      stopper.join();
    }
    assertEquals(List.of(), complaints());
  }

  private static void watchHealth(RpcChannel channel, BlockingQueue<HealthCheckResponse> answers) {
    HealthGrpc.newStub(channel.channel())
        .watch(HealthCheckRequest.getDefaultInstance(), into(answers));
  }

  private static ServingStatus next(BlockingQueue<HealthCheckResponse> answers)
      throws InterruptedException {
    HealthCheckResponse answer = answers.poll(10, TimeUnit.SECONDS);
    assertTrue(answer != null, "no answer in time");
    return answer.getStatus();
  }

  private static <T> StreamObserver<T> into(BlockingQueue<T> values) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T value) {
        values.add(value);
      }

      @Override
      public void onError(Throwable failure) {}

      @Override
      public void onCompleted() {}
    };
  }
}
