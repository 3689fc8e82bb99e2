package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.SearchAgentGrpcService;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.WatchSessionRequest;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpcService;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.quantizer.v1.ImportModelRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.proto.quantizer.v1.QuantizerGrpcService;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A real server called by a real client. */
class RpcServerTest {
  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    runtime.close();
  }

  @Test
  void aTypedErrorArrivesWithItsReasonMessageAndDetails() {
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client =
        hwsimClient(
            targets(
                name -> {
                  throw new HaqException(
                      Reason.UNKNOWN_TARGET,
                      "no target 'ü 5 % z': use bismo-edge",
                      Map.of("known", "bismo-edge"),
                      null);
                }));

    HaqException error =
        assertThrows(
            HaqException.class,
            () -> RpcErrors.calling(() -> client.getTarget(GetTargetRequest.getDefaultInstance())));

    assertEquals(Reason.UNKNOWN_TARGET, error.reason());
    assertEquals("no target 'ü 5 % z': use bismo-edge", error.getMessage());
    assertEquals(Map.of("known", "bismo-edge"), error.details());
  }

  @Test
  void anUnexpectedErrorArrivesAsInternalWithItsText() {
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client =
        hwsimClient(
            targets(
                name -> {
                  throw new IllegalStateException("broken");
                }));

    HaqException error =
        assertThrows(
            HaqException.class,
            () -> RpcErrors.calling(() -> client.getTarget(GetTargetRequest.getDefaultInstance())));

    assertEquals(Reason.INTERNAL, error.reason());
    assertEquals("internal error: broken", error.getMessage());
  }

  @Test
  void aMessageOfSeveralMegabytesGoesBothWays() {
    String big = "x".repeat(8 << 20);
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client = hwsimClient(targets(name -> name));

    assertEquals(
        big, client.getTarget(GetTargetRequest.newBuilder().setName(big).build()).getName());
  }

  @Test
  void aCallerThatLeavesCancelsTheWork() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
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
                  call.onCancel(cancelled::countDown);
                  entered.countDown();
                  await(cancelled);
                  return Target.getDefaultInstance();
                });
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client = hwsimClient(service);
    client.getTarget(GetTargetRequest.newBuilder().setName("first").build()); // connects

    HaqException error =
        assertThrows(
            HaqException.class,
            () ->
                RpcErrors.calling(
                    () ->
                        client
                            .withDeadlineAfter(1, TimeUnit.SECONDS)
                            .getTarget(GetTargetRequest.getDefaultInstance())));

    assertEquals(Reason.DEADLINE_EXCEEDED, error.reason());
    assertTrue(entered.await(5, TimeUnit.SECONDS));
    assertTrue(cancelled.await(5, TimeUnit.SECONDS), "the handler was not told");
  }

  @Test
  void aClientStreamIsTakenInOrderAndAnswered() throws Exception {
    RpcService service =
        RpcService.named(QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
            .clientStream(QuantizerGrpcService.ImportModel, call -> new Concatenation());
    QuantizerGrpc.QuantizerStub client = QuantizerGrpc.newStub(channel(serve(service)).channel());
    CompletableFuture<Model> answer = new CompletableFuture<>();

    StreamObserver<ImportModelRequest> upload = client.importModel(completing(answer));
    StringBuilder expected = new StringBuilder();
    for (int i = 0; i < 500; i++) {
      expected.append(i).append(',');
      upload.onNext(
          ImportModelRequest.newBuilder().setChunk(ByteString.copyFromUtf8(i + ",")).build());
    }
    upload.onCompleted();

    assertEquals(expected.toString(), answer.get(10, TimeUnit.SECONDS).getName());
  }

  @Test
  void aRefusedClientStreamAnswersBeforeItsEnd() {
    RpcService service =
        RpcService.named(QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
            .clientStream(
                QuantizerGrpcService.ImportModel,
                call -> {
                  throw new HaqException(Reason.TOO_LARGE, "too large");
                });
    QuantizerGrpc.QuantizerStub client = QuantizerGrpc.newStub(channel(serve(service)).channel());
    CompletableFuture<Model> answer = new CompletableFuture<>();

    StreamObserver<ImportModelRequest> upload = client.importModel(completing(answer));
    upload.onNext(ImportModelRequest.getDefaultInstance());

    Exception failure = assertThrows(Exception.class, () -> answer.get(10, TimeUnit.SECONDS));
    assertEquals(Reason.TOO_LARGE, RpcErrors.translate(failure).reason());
  }

  @Test
  void aServerStreamArrivesInOrderAndEnds() {
    RpcService service =
        RpcService.named(
                SearchAgentGrpcService.SERVICE_NAME, SearchAgentGrpcService.SERVICE_DESCRIPTOR)
            .serverStream(
                SearchAgentGrpcService.WatchSession,
                (WatchSessionRequest request, ResponseStream<SessionEvent> out) -> {
                  for (int i = 0; i < 1000; i++) {
                    out.send(
                        SessionEvent.newBuilder()
                            .setSnapshot(Session.newBuilder().setEpisodesDone(i))
                            .build());
                  }
                  out.end();
                });
    SearchAgentGrpc.SearchAgentBlockingStub client =
        SearchAgentGrpc.newBlockingStub(channel(serve(service)).channel());

    Iterator<SessionEvent> events = client.watchSession(WatchSessionRequest.getDefaultInstance());
    int next = 0;
    while (events.hasNext()) {
      assertEquals(next++, events.next().getSnapshot().getEpisodesDone());
    }

    assertEquals(1000, next);
  }

  @Test
  void whatIsSentAfterTheEndOfAServerStreamIsDroppedQuietly() throws Exception {
    CompletableFuture<ResponseStream<SessionEvent>> stream = new CompletableFuture<>();
    RpcService service =
        RpcService.named(
                SearchAgentGrpcService.SERVICE_NAME, SearchAgentGrpcService.SERVICE_DESCRIPTOR)
            .serverStream(
                SearchAgentGrpcService.WatchSession,
                (WatchSessionRequest request, ResponseStream<SessionEvent> out) -> {
                  out.send(SessionEvent.getDefaultInstance());
                  out.end();
                  stream.complete(out);
                });
    List<Throwable> failures = new CopyOnWriteArrayList<>();
    runtime.vertx().exceptionHandler(failures::add);
    SearchAgentGrpc.SearchAgentBlockingStub client =
        SearchAgentGrpc.newBlockingStub(channel(serve(service)).channel());
    Iterator<SessionEvent> events = client.watchSession(WatchSessionRequest.getDefaultInstance());
    events.next();
    assertFalse(events.hasNext());

    CountDownLatch drained = new CountDownLatch(1);
    ResponseStream<SessionEvent> ended = stream.get(10, TimeUnit.SECONDS);
    ended.onDrain(drained::countDown);
    assertFalse(ended.isFull());
    ended.send(SessionEvent.getDefaultInstance());

    assertTrue(drained.await(10, TimeUnit.SECONDS), "the event loop has not come to it");
    assertEquals(List.of(), failures);
  }

  @Test
  void healthAndReflectionAndMetricsAreServedOnTheSamePort() throws Exception {
    RpcServer server = serve(targets(name -> name));
    RpcChannel channel = channel(server);
    HardwareSimulatorGrpc.newBlockingStub(channel.channel())
        .getTarget(GetTargetRequest.getDefaultInstance());

    assertEquals(
        ServingStatus.SERVING,
        HealthGrpc.newBlockingStub(channel.channel())
            .check(
                HealthCheckRequest.newBuilder()
                    .setService("haq.hwsim.v1.HardwareSimulator")
                    .build())
            .getStatus());
    assertTrue(listedServices(channel).contains("haq.hwsim.v1.HardwareSimulator"));
    assertEquals("ok\n", get(server, "/healthz"));
    assertEquals("ready\n", get(server, "/readyz"));
    assertTrue(
        get(server, "/metrics")
            .contains(
                "haq_rpc_server_seconds_count{method=\"haq.hwsim.v1.HardwareSimulator/GetTarget\""),
        "no timer of the call");
  }

  @Test
  void whatAPageCouldSendIsRefused() throws Exception {
    RpcServer server = serve(targets(name -> name));
    for (String type :
        List.of("application/grpc", "application/grpc-web", "application/grpc-web-text")) {
      int status =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(
                          URI.create(
                              "http://127.0.0.1:%d/haq.hwsim.v1.HardwareSimulator/GetTarget"
                                  .formatted(server.port())))
                      .version(HttpClient.Version.HTTP_1_1)
                      .header("Content-Type", type)
                      .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[5]))
                      .build(),
                  BodyHandlers.discarding())
              .statusCode();
      assertEquals(415, status, type);
    }
  }

  @Test
  void aCallerThatGivesNoSignOfLifeIsDisconnectedAndOneThatWaitsIsNot() throws Exception {
    RpcService slow =
        targets(
            name -> {
              try {
                TimeUnit.SECONDS.sleep(4);
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              return name;
            });
    RpcServer server =
        RpcServer.builder(runtime, "test")
            .host("127.0.0.1")
            .silence(Duration.ofSeconds(1))
            .service(slow)
            .start();
    open.add(server);
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client =
        HardwareSimulatorGrpc.newBlockingStub(channel(server).channel());
    try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      silent.setSoTimeout(20_000);
      assertEquals(-1, silent.getInputStream().read());
    }
    assertEquals(
        "waited",
        client.getTarget(GetTargetRequest.newBuilder().setName("waited").build()).getName());
  }

  @Test
  void aPortInUseIsRefusedByNumber() throws IOException {
    try (ServerSocket taken = new ServerSocket(0)) {
      HaqException error =
          assertThrows(
              HaqException.class,
              () -> RpcServer.builder(runtime, "test").port(taken.getLocalPort()).start());

      assertTrue(error.getMessage().contains(":" + taken.getLocalPort()), error.getMessage());
    }
  }

  @Test
  void noCallFailsWhenOneOfTwoReplicasStops() throws Exception {
    AtomicInteger served = new AtomicInteger();
    RpcServer first = serve(counting(served));
    RpcServer second = serve(counting(served));
    RpcChannel channel =
        RpcChannel.open(
            "127.0.0.1:" + first.port() + ",127.0.0.1:" + second.port(), Duration.ofSeconds(10));
    open.add(0, channel);
    HardwareSimulatorGrpc.HardwareSimulatorBlockingStub client =
        HardwareSimulatorGrpc.newBlockingStub(channel.channel());

    for (int i = 0; i < 400; i++) {
      if (i == 100) {
        new Thread(first::close, "stopper").start();
      }
      client.getTarget(GetTargetRequest.getDefaultInstance());
    }

    assertEquals(400, served.get());
  }

  private static RpcService counting(AtomicInteger served) {
    return targets(
        name -> {
          served.incrementAndGet();
          return name;
        });
  }

  @Test
  void nothingOfAnUploadThatAServiceHasTakenIsKeptForAnotherAttempt() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CompletableFuture<Model> answer = new CompletableFuture<>();
    RpcService service =
        RpcService.named(QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
            .clientStream(QuantizerGrpcService.ImportModel, call -> new Concatenation());
    ClientCall<ImportModelRequest, Model> call =
        channel(serve(service))
            .channel()
            .newCall(QuantizerGrpc.getImportModelMethod(), CallOptions.DEFAULT);
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onHeaders(Metadata headers) {
            begun.countDown(); // what ends gRPC's attempts (gRFC A6)
          }

          @Override
          public void onMessage(Model message) {
            answer.complete(message);
          }
        },
        new Metadata());
    call.request(2);
    await(begun);

    call.sendMessage(
        ImportModelRequest.newBuilder().setChunk(ByteString.copyFromUtf8("all")).build());
    call.halfClose();
    assertEquals("all", answer.get(10, TimeUnit.SECONDS).getName());
  }

  private static RpcService targets(java.util.function.UnaryOperator<String> answer) {
    return RpcService.named(
            HardwareSimulatorGrpcService.SERVICE_NAME,
            HardwareSimulatorGrpcService.SERVICE_DESCRIPTOR)
        .unary(
            HardwareSimulatorGrpcService.GetTarget,
            (request, call) ->
                Target.newBuilder().setName(answer.apply(request.getName())).build());
  }

  private RpcServer serve(RpcService service) {
    RpcServer server =
        RpcServer.builder(runtime, "test").host("127.0.0.1").service(service).start();
    open.add(server);
    return server;
  }

  private RpcChannel channel(RpcServer server) {
    RpcChannel channel = RpcChannel.open("127.0.0.1:" + server.port(), Duration.ofSeconds(10));
    open.add(0, channel);
    return channel;
  }

  private HardwareSimulatorGrpc.HardwareSimulatorBlockingStub hwsimClient(RpcService service) {
    return HardwareSimulatorGrpc.newBlockingStub(channel(serve(service)).channel());
  }

  private static List<String> listedServices(RpcChannel channel) throws Exception {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> requests =
        ServerReflectionGrpc.newStub(channel.channel()).serverReflectionInfo(completing(answer));
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    requests.onCompleted();
    return answer.get(10, TimeUnit.SECONDS).getListServicesResponse().getServiceList().stream()
        .map(ServiceResponse::getName)
        .toList();
  }

  private static String get(RpcServer server, String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path)).build(),
            BodyHandlers.ofString())
        .body();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(10, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static <T> StreamObserver<T> completing(CompletableFuture<T> answer) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T value) {
        answer.complete(value);
      }

      @Override
      public void onError(Throwable failure) {
        answer.completeExceptionally(failure);
      }

      @Override
      public void onCompleted() {}
    };
  }

  private static final class Concatenation implements ClientStream<ImportModelRequest, Model> {
    private final StringBuilder text = new StringBuilder();

    @Override
    public void next(ImportModelRequest message) {
      text.append(message.getChunk().toStringUtf8());
    }

    @Override
    public Model end() {
      return Model.newBuilder().setName(text.toString()).build();
    }

    @Override
    public void cancelled() {
      text.setLength(0);
    }
  }
}
