package dev.haq.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.PredictFrontEvent;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.proto.agent.v1.WatchSessionRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.ListTargetsRequest;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.ImportModelRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.rpc.RpcErrors;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(120)
final class PublicGrpcTest {
  private GatewayFixture gateway;
  private ManagedChannel channel;

  @BeforeEach
  void start() {
    gateway = new GatewayFixture(Map.of("HAQ_GATEWAY_GRPC", "true", "HAQ_GATEWAY_GRPC_PORT", "0"));
    channel =
        NettyChannelBuilder.forAddress("127.0.0.1", gateway.gateway().grpcPort().orElseThrow())
            .usePlaintext()
            .build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    gateway.close();
  }

  @Test
  void theThreeServicesAreListedAndHealthy() throws Exception {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> ask =
        ServerReflectionGrpc.newStub(channel).serverReflectionInfo(single(answer));
    ask.onNext(ServerReflectionRequest.newBuilder().setListServices("*").build());
    List<String> names =
        answer.get(20, TimeUnit.SECONDS).getListServicesResponse().getServiceList().stream()
            .map(ServiceResponse::getName)
            .toList();
    ask.onCompleted();
    assertTrue(
        names.containsAll(
            List.of(
                "haq.agent.v1.SearchAgent",
                "haq.hwsim.v1.HardwareSimulator",
                "haq.quantizer.v1.Quantizer")),
        names.toString());
    for (String service : List.of("", "haq.quantizer.v1.Quantizer")) {
      assertEquals(
          ServingStatus.SERVING,
          HealthGrpc.newBlockingStub(channel)
              .check(HealthCheckRequest.newBuilder().setService(service).build())
              .getStatus());
    }
  }

  @Test
  void whatAPageCouldSendIsRefused() throws Exception {
    for (String type :
        List.of(
            "application/grpc",
            "application/grpc-web",
            "application/grpc-web-text",
            "application/json")) {
      HttpResponse<byte[]> answer =
          gateway.http.send(
              HttpRequest.newBuilder(
                      URI.create(
                          "http://127.0.0.1:%d/haq.hwsim.v1.HardwareSimulator/ListTargets"
                              .formatted(gateway.gateway().grpcPort().orElseThrow())))
                  .version(HttpClient.Version.HTTP_1_1)
                  .header("Content-Type", type)
                  .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[5]))
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray());
      assertEquals(415, answer.statusCode(), type);
      assertFalse(new String(answer.body(), StandardCharsets.ISO_8859_1).contains("bismo"), type);
    }
  }

  @Test
  void callsArePassedOnAndErrorsComeBackWhole() {
    assertEquals(
        "bismo-edge",
        HardwareSimulatorGrpc.newBlockingStub(channel)
            .listTargets(ListTargetsRequest.getDefaultInstance())
            .getTargets(0)
            .getName());
    gateway.agent.refuse(
        new HaqException(Reason.BUDGET_INFEASIBLE, "raise it", Map.of("least", "0.2"), null));
    StatusRuntimeException failure =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                SearchAgentGrpc.newBlockingStub(channel)
                    .createSession(CreateSessionRequest.getDefaultInstance()));
    assertEquals(Status.Code.FAILED_PRECONDITION, failure.getStatus().getCode());
    HaqException typed = RpcErrors.translate(failure);
    assertEquals(Reason.BUDGET_INFEASIBLE, typed.reason());
    assertEquals("raise it", typed.getMessage());
    assertEquals("0.2", typed.details().get("least"));
  }

  @Test
  void aStreamOfTheQuantizerIsPassedOn() {
    Iterator<MeasureSensitivityResponse> parts =
        QuantizerGrpc.newBlockingStub(channel)
            .measureSensitivity(
                MeasureSensitivityRequest.newBuilder()
                    .setModel("any")
                    .setWeightBits(BitChoices.newBuilder().addBits(2).addBits(4))
                    .build());
    assertEquals(2, parts.next().getStart().getEntries());
    assertEquals(2, parts.next().getEntry().getBits());
    assertEquals(4, parts.next().getEntry().getBits());
    assertFalse(parts.hasNext());
  }

  @Test
  void aStreamOfTheAgentIsPassedOn() {
    Iterator<PredictFrontEvent> events =
        SearchAgentGrpc.newBlockingStub(channel)
            .predictFront(PredictFrontRequest.newBuilder().setModel("any").build());
    assertEquals(14, events.next().getPreparation().getToMeasure());
    assertEquals(2, events.next().getFront().getPointsCount());
    assertFalse(events.hasNext());
  }

  @Test
  void uploadsAndStreamsArePassedOn() throws Exception {
    CompletableFuture<Model> stored = new CompletableFuture<>();
    StreamObserver<ImportModelRequest> upload =
        QuantizerGrpc.newStub(channel).importModel(single(stored));
    upload.onNext(
        ImportModelRequest.newBuilder()
            .setHeader(ImportModelRequest.Header.newBuilder().setName("m"))
            .build());
    for (int i = 0; i < 40; i++) {
      upload.onNext(
          ImportModelRequest.newBuilder().setChunk(ByteString.copyFrom(new byte[1 << 18])).build());
    }
    upload.onCompleted();
    assertEquals(40 << 18, stored.get(20, TimeUnit.SECONDS).getSizeBytes());

    gateway.agent.sessions.put("run", Session.newBuilder().setId("run").build());
    Iterator<SessionEvent> events =
        SearchAgentGrpc.newBlockingStub(channel)
            .watchSession(WatchSessionRequest.newBuilder().setSessionId("run").build());
    FakeAgent.Watch watch = gateway.agent.nextWatch();
    for (int number = 1; number <= 100; number++) {
      watch.episode(Episode.newBuilder().setNumber(number).build());
    }
    watch.out().end();
    for (int number = 1; number <= 100; number++) {
      assertEquals(number, events.next().getEpisode().getNumber());
    }
    assertFalse(events.hasNext());
  }

  @Test
  void messagesMayBeAsLargeAsJsonAndOnlySoManyAreHeld() throws Exception {
    Map<String, String> small =
        Map.of(
            "HAQ_GATEWAY_GRPC", "true",
            "HAQ_GATEWAY_GRPC_PORT", "0",
            "HAQ_GATEWAY_MAX_JSON_BYTES", "100000");
    try (GatewayFixture tight = new GatewayFixture(small)) {
      ManagedChannel channel =
          NettyChannelBuilder.forAddress("127.0.0.1", tight.gateway().grpcPort().orElseThrow())
              .usePlaintext()
              .build();
      QuantizerGrpc.QuantizerFutureStub quantizer = QuantizerGrpc.newFutureStub(channel);
      try {
        assertEquals(Reason.TOO_LARGE, refusal(channel, 100_001));
        List<Future<EvaluateResponse>> held = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          held.add(quantizer.evaluate(named("slow", 99_000)));
        }
        while (tight.quantizer.slow.get() < 8) {
          Thread.sleep(10);
        }
        assertEquals(Reason.BUSY, refusal(channel, 99_000));
        held.get(0).cancel(true);
        assertTrue(tight.quantizer.abandoned.await(10, TimeUnit.SECONDS));
        for (Future<EvaluateResponse> one : held.subList(1, 8)) {
          one.get(20, TimeUnit.SECONDS);
        }
        QuantizerGrpc.newBlockingStub(channel).evaluate(named("any", 99_000));
      } finally {
        channel.shutdownNow();
      }
    }
  }

  private static EvaluateRequest named(String model, int bytes) {
    DataSelection data = DataSelection.newBuilder().setDataset("x".repeat(bytes)).build();
    return EvaluateRequest.newBuilder().setModel(model).setData(data).build();
  }

  private static Reason refusal(ManagedChannel channel, int bytes) {
    return RpcErrors.translate(
            assertThrows(
                StatusRuntimeException.class,
                () -> QuantizerGrpc.newBlockingStub(channel).evaluate(named("any", bytes))))
        .reason();
  }

  @Test
  void aCallerThatLeavesCancelsTheCall() throws Exception {
    Future<EvaluateResponse> answer =
        QuantizerGrpc.newFutureStub(channel)
            .evaluate(EvaluateRequest.newBuilder().setModel("slow").build());
    assertTrue(gateway.quantizer.evaluating.await(20, TimeUnit.SECONDS));
    answer.cancel(true);
    assertTrue(gateway.quantizer.abandoned.await(10, TimeUnit.SECONDS));
  }

  @Test
  void aWatcherThatLeavesEndsTheWatchBehindAndNothingIsLogged() throws Exception {
    Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    ListAppender<ILoggingEvent> logged = new ListAppender<>();
    logged.start();
    root.addAppender(logged);
    try {
      gateway.agent.sessions.put("run", Session.newBuilder().setId("run").build());
      CompletableFuture<SessionEvent> first = new CompletableFuture<>();
      Context.CancellableContext caller = Context.current().withCancellation();
      caller.run(
          () ->
              SearchAgentGrpc.newStub(channel)
                  .watchSession(
                      WatchSessionRequest.newBuilder().setSessionId("run").build(), single(first)));
      FakeAgent.Watch watch = gateway.agent.nextWatch();
      watch.episode(Episode.newBuilder().setNumber(1).build());
      assertEquals(1, first.get(20, TimeUnit.SECONDS).getEpisode().getNumber());
      caller.cancel(null);
      for (int number = 2; !watch.left().await(1, TimeUnit.MILLISECONDS); number++) {
        watch.episode(Episode.newBuilder().setNumber(number).build());
      }
      watch.episode(Episode.newBuilder().setNumber(1_000_000).build());
      // A call on the same connection: what was to be said about the watch has been.
      callsArePassedOnAndErrorsComeBackWhole();
    } finally {
      root.detachAppender(logged);
    }
    assertEquals(
        List.of(),
        List.copyOf(logged.list).stream()
            .filter(event -> event.getLevel().isGreaterOrEqual(Level.WARN))
            // Servers in one process share their gauges, which it mentions once.
            .filter(event -> !event.getLoggerName().startsWith("io.micrometer."))
            .map(ILoggingEvent::getFormattedMessage)
            .toList());
  }

  private static <T> StreamObserver<T> single(CompletableFuture<T> result) {
    return new StreamObserver<>() {
      @Override
      public void onNext(T value) {
        result.complete(value);
      }

      @Override
      public void onError(Throwable failure) {
        result.completeExceptionally(failure);
      }

      @Override
      public void onCompleted() {
        result.cancel(false);
      }
    };
  }
}
