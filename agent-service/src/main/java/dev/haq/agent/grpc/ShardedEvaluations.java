package dev.haq.agent.grpc;

import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.model.Shard;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.QuantizerGrpc.QuantizerBlockingStub;
import dev.haq.wire.DataWire;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Evaluations that are divided over the quantizer's replicas: a shard of the images each, at the
 * same time. Calls go round robin, so that as many shards as replicas take one each. Shards add up
 * exactly: how many there are changes no result.
 *
 * @param quantizer calls go round robin over its replicas
 * @param shards of an evaluation, at least 1; 1 leaves it whole
 * @param trains whether each policy's network is trained first, and waits for its turn to be, as
 *     long as that takes
 * @param threads that make the calls, as many as shards at a time
 */
record ShardedEvaluations(
    QuantizerBlockingStub quantizer,
    PatientCalls calls,
    int shards,
    boolean trains,
    Executor threads) {
  /** Longer than any training: a call has to have an end. */
  private static final int LONGEST_TRAINING_DAYS = 7;

  /** The same calls, undivided: for evaluations of next to nothing. */
  ShardedEvaluations whole() {
    return new ShardedEvaluations(quantizer, calls, 1, trains, threads);
  }

  /**
   * Evaluates; blocks until all shards are there.
   *
   * @throws HaqException of the first shard that failed, once all have ended
   */
  Accuracy evaluate(EvaluateRequest request) {
    if (shards == 1) {
      return call(request);
    }
    List<CompletableFuture<Accuracy>> parts = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      EvaluateRequest part =
          request.toBuilder().setShard(DataWire.toProto(new Shard(i, shards))).build();
      parts.add(CompletableFuture.supplyAsync(() -> call(part), threads));
    }
    try {
      CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new)).join();
      return parts.stream().map(CompletableFuture::join).reduce(Accuracy::plus).orElseThrow();
    } catch (CompletionException e) {
      throw e.getCause() instanceof HaqException typed
          ? typed
          : new HaqException(Reason.INTERNAL, "an evaluation failed: " + e.getCause(), e);
    }
  }

  private Accuracy call(EvaluateRequest request) {
    return DataWire.fromProto(
        calls.call(GrpcBackends.QUANTIZER, () -> stub().evaluate(request)).getAccuracy());
  }

  private QuantizerBlockingStub stub() {
    return trains ? quantizer.withDeadlineAfter(LONGEST_TRAINING_DAYS, TimeUnit.DAYS) : quantizer;
  }
}
