package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.proto.agent.v1.PauseSessionRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.hwsim.v1.Target;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Replicas that die in the middle of an answer. */
@Timeout(60)
class BrokenAnswersTest {
  private static final Logger LOG = LoggerFactory.getLogger(BrokenAnswersTest.class);

  /** A HealthCheckResponse with status SERVING, as it is on the wire. */
  private static final byte[] SERVING = {0, 0, 0, 0, 2, 8, 1};

  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final List<AutoCloseable> open = new ArrayList<>();
  private final AtomicInteger broken = new AtomicInteger();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
    runtime.close();
  }

  @Test
  void aReadWhoseAnswerBreaksOffIsAskedOfAnotherReplica() {
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client =
        HardwareSimulatorGrpc.newBlockingStub(channel(dying(), alive()).channel());
    answered(client);
    broken.set(0);

    for (int i = 0; i < 20 || broken.get() == 0; i++) {
      String name = "t" + i;
      assertEquals(
          name, client.getTarget(GetTargetRequest.newBuilder().setName(name).build()).getName());
    }
  }

  /** Calls until one of several replicas answers, the others not being connected to, or dying. */
  private static void answered(HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client) {
    boolean answered = false;
    while (!answered) {
      try {
        client.getTarget(GetTargetRequest.newBuilder().setName("first").build());
        answered = true;
      } catch (StatusRuntimeException e) {
        assertEquals(Status.Code.UNAVAILABLE, e.getStatus().getCode());
      }
    }
  }

  @Test
  void anAnswerThatBreaksOffEveryTimeIsUnavailableAfterFiveAttempts() {
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client =
        HardwareSimulatorGrpc.newBlockingStub(channel(dying()).channel());

    StatusRuntimeException e =
        assertThrows(
            StatusRuntimeException.class,
            () -> client.getTarget(GetTargetRequest.getDefaultInstance()));

    assertEquals(Status.Code.UNAVAILABLE, e.getStatus().getCode());
    assertEquals(5, broken.get());
  }

  @Test
  void aCallThatIsNotSaidToBeRepeatableIsNotRepeated() {
    SearchAgentGrpc.SearchAgentBlockingStub client =
        SearchAgentGrpc.newBlockingStub(channel(dying()).channel());

    StatusRuntimeException e =
        assertThrows(
            StatusRuntimeException.class,
            () -> client.pauseSession(PauseSessionRequest.getDefaultInstance()));

    assertEquals(Status.Code.UNAVAILABLE, e.getStatus().getCode());
    assertEquals(1, broken.get());
  }

  @Test
  void cancellingTheCallersContextEndsTheAttemptUnderWay() throws Exception {
    Context.CancellableContext context = Context.ROOT.withCancellation();
    CompletableFuture<Void> left = new CompletableFuture<>();
    RpcService service =
        RpcService.named(
                HardwareSimulatorGrpcService.SERVICE_NAME,
                HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
            .unary(
                HardwareSimulatorGrpcService.GetTarget,
                (request, call) -> {
                  if (request.getName().equals("first")) {
                    return Target.getDefaultInstance();
                  }
                  call.onCancel(() -> left.complete(null));
                  context.cancel(null);
                  left.join();
                  return Target.getDefaultInstance();
                });
    RpcServer slow = RpcServer.builder(runtime, "slow").host("127.0.0.1").service(service).start();
    open.add(slow);
    // The first attempt breaks off, so the second starts on another thread than the caller's.
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client =
        HardwareSimulatorGrpc.newBlockingStub(channel(dying(), slow.port()).channel());
    answered(client);
    StatusRuntimeException e =
        assertThrows(
            StatusRuntimeException.class,
            () -> context.call(() -> client.getTarget(GetTargetRequest.getDefaultInstance())));
    assertEquals(Status.Code.CANCELLED, e.getStatus().getCode());
    left.get(10, TimeUnit.SECONDS);
  }

  private int alive() {
    RpcServer server =
        RpcServer.builder(runtime, "alive")
            .host("127.0.0.1")
            .service(
                RpcService.named(
                        HardwareSimulatorGrpcService.SERVICE_NAME,
                        HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
                    .unary(
                        HardwareSimulatorGrpcService.GetTarget,
                        (request, call) -> Target.newBuilder().setName(request.getName()).build()))
            .start();
    open.add(server);
    return server.port();
  }

  /** Begins each answer, a message of 100 bytes, and drops the connection after its first. */
  private int dying() {
    HttpServer server =
        runtime
            .vertx()
            .createHttpServer()
            .requestHandler(
                request -> {
                  request.response().putHeader("content-type", "application/grpc");
                  if (request.path().startsWith("/grpc.health")) {
                    request
                        .response()
                        .write(Buffer.buffer(SERVING))
                        .onFailure(e -> LOG.debug("the connection went first", e));
                    return;
                  }
                  broken.incrementAndGet();
                  request
                      .response()
                      .write(Buffer.buffer(new byte[] {0, 0, 0, 0, 100, 1}))
                      .eventually(() -> request.connection().close())
                      .onFailure(e -> LOG.debug("the connection went first", e));
                });
    server.listen(0, "127.0.0.1").await();
    open.add(() -> server.close().await());
    return server.actualPort();
  }

  private RpcChannel channel(int... ports) {
    List<String> replicas = new ArrayList<>();
    for (int port : ports) {
      replicas.add("127.0.0.1:" + port);
    }
    RpcChannel channel = RpcChannel.open(String.join(",", replicas), Duration.ofSeconds(20));
    open.add(0, channel);
    return channel;
  }
}
