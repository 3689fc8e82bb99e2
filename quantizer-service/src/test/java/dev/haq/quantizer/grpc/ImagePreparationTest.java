package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.haq.model.DataSelection.Split;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.data.ArchiveLimits;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.Images;
import dev.haq.quantizer.eval.Sensitivity;
import dev.haq.quantizer.eval.SensitivityStore;
import dev.haq.quantizer.eval.TestEvaluators;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.models.ModelStore;
import dev.haq.quantizer.sharing.Waits;
import dev.haq.quantizer.tune.TunedModels;
import dev.haq.rpc.RpcErrors;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.ServiceRuntime;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A server that runs one evaluation at a time, and whose held-out images take long to prepare. */
@Timeout(60)
final class ImagePreparationTest {
  private final CountDownLatch preparing = new CountDownLatch(1);
  private final CountDownLatch prepared = new CountDownLatch(1);
  private final CountDownLatch left = new CountDownLatch(1);
  private final ServiceRuntime runtime = ServiceRuntime.create();

  @TempDir private Path folder;
  private Evaluator evaluator;
  private RpcServer server;
  private ManagedChannel channel;

  /** One image of zeros. */
  private static final class OneImage implements Images {
    @Override
    public int size() {
      return 1;
    }

    @Override
    public int label(int image) {
      return 0;
    }

    @Override
    public void read(int image, float[] target, int offset) {}
  }

  private final class SlowSource implements TestEvaluators.AtHand {
    @Override
    public Images images(
        dev.haq.model.DataSelection selection, List<Integer> inputShape, int classes) {
      throw new AssertionError("a caller may leave");
    }

    @Override
    public Images images(
        dev.haq.model.DataSelection selection,
        List<Integer> inputShape,
        int classes,
        BooleanSupplier cancelled) {
      if (selection.split() == Split.HELD_OUT) {
        preparing.countDown();
        try {
          Waits.until(millis -> prepared.await(millis, TimeUnit.MILLISECONDS), cancelled);
        } finally {
          left.countDown();
        }
      }
      return new OneImage();
    }

    @Override
    public boolean arePrepared(dev.haq.model.DataSelection selection, List<Integer> inputShape) {
      return selection.split() != Split.HELD_OUT;
    }
  }

  @BeforeEach
  void start() {
    evaluator =
        TestEvaluators.of(
            new SlowSource(),
            new IntegerGraph(Processor.detect()),
            TestEvaluators.limits(1, 1, 4, 1, 1));
    ModelStore models = new ModelStore(folder.resolve("models"), 1 << 20, 1);
    QuantizerHandler handler =
        new QuantizerHandler(
            models,
            new DatasetStore(folder.resolve("datasets"), ArchiveLimits.DEFAULT, 1 << 20),
            evaluator,
            new Sensitivity(evaluator, new SensitivityStore(folder.resolve("sensitivity"))),
            new TunedModels(folder.resolve("tunings"), models, evaluator),
            folder.resolve("exports"));
    server =
        RpcServer.builder(runtime, "test").host("127.0.0.1").service(handler.service()).start();
    channel = ManagedChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    prepared.countDown();
    channel.shutdownNow();
    server.close();
    evaluator.close();
    runtime.close();
  }

  private QuantizerGrpc.QuantizerBlockingStub stub() {
    return QuantizerGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private EvaluateResponse evaluate(DataSelection.Split split) {
    EvaluateRequest.Builder request =
        EvaluateRequest.newBuilder()
            .setModel(BuiltinShapes.ID)
            .setData(DataSelection.newBuilder().setDataset(BuiltinShapes.ID).setSplit(split));
    for (int layer = 0; layer < 20; layer++) {
      request
          .getPolicyBuilder()
          .addLayers(LayerBits.newBuilder().setWeightBits(8).setActivationBits(8));
    }
    return stub().evaluate(request.build());
  }

  @Test
  void othersAreEvaluatedWhileImagesArePrepared() throws InterruptedException {
    CompletableFuture<EvaluateResponse> slow =
        CompletableFuture.supplyAsync(() -> evaluate(DataSelection.Split.HELD_OUT));
    preparing.await();
    assertEquals(1, evaluate(DataSelection.Split.SEARCH).getAccuracy().getImages());
    assertFalse(slow.isDone());
    prepared.countDown();
    assertEquals(1, slow.join().getAccuracy().getImages());
  }

  @Test
  void moreThanMayWaitForImagesKeepNobodyElseFromRunning() throws InterruptedException {
    int most = 16;
    CountDownLatch busy = new CountDownLatch(40 - most);
    List<CompletableFuture<EvaluateResponse>> slow = new ArrayList<>();
    ExecutorService callers = Executors.newCachedThreadPool();
    for (int i = 0; i < 40; i++) {
      slow.add(
          CompletableFuture.supplyAsync(() -> evaluate(DataSelection.Split.HELD_OUT), callers)
              .whenComplete((answer, failure) -> busy.countDown()));
    }
    busy.await();
    assertEquals(1, evaluate(DataSelection.Split.SEARCH).getAccuracy().getImages());
    prepared.countDown();
    int answered = 0;
    for (CompletableFuture<EvaluateResponse> call : slow) {
      try {
        answered += call.join().getAccuracy().getImages();
      } catch (CompletionException e) {
        assertEquals(Reason.BUSY, RpcErrors.translate(e.getCause()).reason());
      }
    }
    assertEquals(most, answered);
    callers.shutdown();
  }

  @Test
  void aCallerThatLeavesEndsThePreparingOfItsImages() throws InterruptedException {
    Context.CancellableContext caller = Context.current().withCancellation();
    Thread waiting =
        new Thread(
            caller.wrap(
                () -> {
                  try {
                    evaluate(DataSelection.Split.HELD_OUT);
                  } catch (RuntimeException e) {
                    // It left.
                  }
                }));
    waiting.start();
    preparing.await();
    caller.cancel(null);
    left.await();
    waiting.join();
  }
}
