package dev.haq.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.model.Shard;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.proto.quantizer.v1.QuantizerGrpcService;
import dev.haq.rpc.Call;
import dev.haq.rpc.RpcChannel;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.RpcService;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.wire.DataWire;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Evaluations over two real gRPC servers whose images each have an accuracy by a formula. */
@Timeout(60)
final class ShardedEvaluationsTest {
  private static final int IMAGES = 100;

  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final ExecutorService threads = Executors.newCachedThreadPool();

  /** Both replicas must be at work at the same time before either answers. */
  private final CyclicBarrier together = new CyclicBarrier(2);

  private final Replica first = new Replica();
  private final Replica second = new Replica();
  private final RpcChannel channel =
      RpcChannel.open(first.target() + "," + second.target(), Duration.ofSeconds(30));

  private final class Replica {
    private final Queue<Shard> served = new ConcurrentLinkedQueue<>();
    private final RpcServer server =
        RpcServer.builder(runtime, "replica")
            .host("127.0.0.1")
            .service(
                RpcService.named(
                        QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
                    .unary(QuantizerGrpcService.Evaluate, this::evaluate))
            .start();

    private String target() {
      return "127.0.0.1:" + server.port();
    }

    private EvaluateResponse evaluate(EvaluateRequest request, Call call) {
      Shard shard = request.hasShard() ? DataWire.fromProto(request.getShard()) : Shard.WHOLE;
      served.add(shard);
      if (request.getModel().equals("broken") && shard.index() == 1) {
        throw new HaqException(Reason.UNKNOWN_MODEL, "there is no such model");
      }
      if (request.getModel().equals("together")) {
        try {
          together.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
          throw new HaqException(Reason.INTERNAL, "the other shard does not come", e);
        }
      }
      Accuracy sum = Accuracy.NONE;
      for (int image = shard.first(IMAGES); image < shard.end(IMAGES); image++) {
        double entropy = Accuracy.grained(Math.sqrt(image));
        sum = sum.plus(new Accuracy(1, image % 3 == 0 ? 1 : 0, 1, entropy));
      }
      return EvaluateResponse.newBuilder().setAccuracy(DataWire.toProto(sum)).build();
    }
  }

  private ShardedEvaluations evaluations(int shards) {
    return new ShardedEvaluations(
        QuantizerGrpc.newBlockingStub(channel.channel()),
        PatientCalls.waiting(Duration.ofSeconds(10)),
        shards,
        false,
        threads);
  }

  private static EvaluateRequest request(String model) {
    return EvaluateRequest.newBuilder().setModel(model).build();
  }

  @AfterEach
  void stop() {
    channel.close();
    first.server.close();
    second.server.close();
    runtime.close();
    threads.shutdown();
  }

  @Test
  void anySumOfShardsIsTheWhole() {
    Accuracy whole = evaluations(1).evaluate(request("any"));
    assertEquals(IMAGES, whole.images());
    for (int shards = 2; shards <= 7; shards++) {
      assertEquals(whole, evaluations(shards).evaluate(request("any")));
    }
    // Replicas are connected to one by one.
    while (first.served.isEmpty() || second.served.isEmpty()) {
      assertEquals(whole, evaluations(7).evaluate(request("any")));
    }
  }

  @Test
  void shardsAreEvaluatedAtTheSameTime() {
    assertEquals(IMAGES, evaluations(2).evaluate(request("together")).images());
  }

  @Test
  void oneShardThatFailsFailsTheEvaluationWithItsReason() {
    HaqException failure =
        assertThrows(HaqException.class, () -> evaluations(3).evaluate(request("broken")));
    assertEquals(Reason.UNKNOWN_MODEL, failure.reason());
  }
}
