package dev.haq.standalone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.proto.agent.v1.ListSessionsRequest;
import dev.haq.proto.agent.v1.SearchAgentGrpc;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.ListTargetsRequest;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The services as any gRPC client sees them: grpc-java and server reflection. */
class GrpcTest {
  private static final Map<String, String> SERVICES =
      Map.of(
          "agent", "haq.agent.v1.SearchAgent",
          "hwsim", "haq.hwsim.v1.HardwareSimulator",
          "quantizer", "haq.quantizer.v1.Quantizer");

  @TempDir static Path folder;
  private static Standalone standalone;

  @BeforeAll
  static void start() {
    standalone =
        Standalone.start(
            new Standalone.Options(
                "127.0.0.1",
                0,
                OptionalInt.of(0),
                folder.resolve("data"),
                true,
                Optional.of(folder.resolve("sessions"))));
  }

  @AfterAll
  static void stop() {
    standalone.close();
  }

  @Test
  void everyServiceListsItselfByReflection() {
    SERVICES.forEach(
        (name, service) -> {
          List<String> listed = on(name, GrpcTest::list);
          assertTrue(listed.contains(service), name + " lists " + listed);
          assertTrue(listed.contains("grpc.health.v1.Health"), name + " lists " + listed);
        });
  }

  @Test
  void theGatewayListsThemAll() {
    List<String> listed = on("gateway", GrpcTest::list);
    assertTrue(listed.containsAll(SERVICES.values()), listed.toString());
  }

  @Test
  void theServicesAnswerDirectlyAndThroughTheGateway() {
    for (String address : List.of("hwsim", "gateway")) {
      int targets =
          on(
              address,
              channel ->
                  HardwareSimulatorGrpc.newBlockingStub(channel)
                      .listTargets(ListTargetsRequest.getDefaultInstance())
                      .getTargetsCount());
      assertTrue(targets >= 2, address);
    }
    for (String address : List.of("quantizer", "gateway")) {
      String model =
          on(
              address,
              channel ->
                  QuantizerGrpc.newBlockingStub(channel)
                      .getModel(GetModelRequest.newBuilder().setId("builtin:shapes").build())
                      .getId());
      assertEquals("builtin:shapes", model);
    }
    for (String address : List.of("agent", "gateway")) {
      int sessions =
          on(
              address,
              channel ->
                  SearchAgentGrpc.newBlockingStub(channel)
                      .listSessions(ListSessionsRequest.getDefaultInstance())
                      .getSessionsCount());
      assertEquals(0, sessions);
    }
  }

  private static <T> T on(String name, Function<ManagedChannel, T> use) {
    ManagedChannel channel =
        ManagedChannelBuilder.forTarget(standalone.grpcAddresses().get(name))
            .usePlaintext()
            .build();
    try {
      return use.apply(channel);
    } finally {
      channel.shutdownNow();
    }
  }

  private static List<String> list(ManagedChannel channel) {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> requests =
        ServerReflectionGrpc.newStub(channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    answer.complete(response);
                  }

                  @Override
                  public void onError(Throwable e) {
                    answer.completeExceptionally(e);
                  }

                  @Override
                  public void onCompleted() {
                    answer.cancel(false);
                  }
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    ServerReflectionResponse response = answer.orTimeout(30, TimeUnit.SECONDS).join();
    requests.onCompleted();
    return response.getListServicesResponse().getServiceList().stream()
        .map(ServiceResponse::getName)
        .toList();
  }
}
