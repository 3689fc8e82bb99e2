package dev.haq.agent;

import dev.haq.model.Accuracy;
import dev.haq.model.BitWidth;
import dev.haq.model.FeatureMap;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Operand;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Window;
import dev.haq.proto.model.v1.DataSelection.Split;
import dev.haq.proto.model.v1.FineTuning;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.proto.quantizer.v1.GetDatasetRequest;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpcService;
import dev.haq.proto.quantizer.v1.SensitivityEntry;
import dev.haq.rpc.Call;
import dev.haq.rpc.ResponseStream;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.RpcService;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.NetworkWire;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A quantizer that knows one model and two datasets and computes accuracy by a formula: every bit
 * taken from a layer costs images, more from later ones.
 */
final class FakeQuantizer implements AutoCloseable {
  static final String MODEL = "builtin:small";
  static final String DATASET = "builtin:images";

  /** Has more classes than the model. */
  static final String MORE_CLASSES = "builtin:more-classes";

  static final Network NETWORK = network();

  /** How the ids of tuned models begin. */
  static final String TUNED = "sha256:tuned-";

  private static final int IMAGES = 10_000;
  private static final int UNLIMITED = Integer.MAX_VALUE / 2;

  private final RpcServer server;
  private final AtomicInteger evaluations = new AtomicInteger();
  private final AtomicInteger measurements = new AtomicInteger();
  private final Queue<MeasureSensitivityRequest> measured = new ConcurrentLinkedQueue<>();
  private final CountDownLatch measurementLeft = new CountDownLatch(1);
  private final AtomicInteger modelCalls = new AtomicInteger();
  private final AtomicInteger unavailable = new AtomicInteger();
  private final AtomicInteger busy = new AtomicInteger();
  private final Queue<Split> splits = new ConcurrentLinkedQueue<>();

  /** Evaluations of policies that may be answered. */
  private final Semaphore permits = new Semaphore(UNLIMITED, true);

  /** Epochs of fine-tuning that may be trained. */
  private final Semaphore epochPermits = new Semaphore(UNLIMITED, true);

  /** Epochs that were trained, of each request. */
  private final Map<FineTuneRequest, Integer> trained = new ConcurrentHashMap<>();

  private final AtomicInteger epochs = new AtomicInteger();

  /** Measurements of sensitivities that may go on after half of them. */
  private final Semaphore sensitivityPermits = new Semaphore(UNLIMITED, true);

  FakeQuantizer(ServiceRuntime runtime) {
    server =
        RpcServer.builder(runtime, "fake-quantizer")
            .host("127.0.0.1")
            .service(
                RpcService.named(
                        QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
                    .unary(QuantizerGrpcService.GetModel, this::model)
                    .unary(QuantizerGrpcService.GetDataset, FakeQuantizer::dataset)
                    .unary(QuantizerGrpcService.Evaluate, this::evaluate)
                    .serverStream(QuantizerGrpcService.MeasureSensitivity, this::sensitivity)
                    .serverStream(QuantizerGrpcService.FineTune, this::fineTune))
            .start();
  }

  String target() {
    return "127.0.0.1:" + server.port();
  }

  /** From now on an evaluation of a policy waits until {@link #permit} lets it through. */
  void hold() {
    permits.drainPermits();
  }

  /** From now on nothing waits, whatever was held before. */
  void holdNothing() {
    for (Semaphore each : List.of(permits, epochPermits, sensitivityPermits)) {
      each.drainPermits();
      each.release(UNLIMITED);
    }
  }

  /** From now on sensitivities stop half-way until {@link #permitSensitivities}. */
  void holdSensitivities() {
    sensitivityPermits.drainPermits();
  }

  void permitSensitivities() {
    sensitivityPermits.release(1_000);
  }

  /** Waits until an evaluation is held: the episode after those permitted is under way. */
  void awaitHeld() {
    awaitQueued(permits);
  }

  private static void awaitQueued(Semaphore permits) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!permits.hasQueuedThreads()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("no evaluation has come");
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  void permit(int count) {
    permits.release(count);
  }

  /** From now on an epoch of fine-tuning waits until {@link #permitEpochs} lets it through. */
  void holdEpochs() {
    epochPermits.drainPermits();
  }

  void permitEpochs(int count) {
    epochPermits.release(count);
  }

  /** Waits until an epoch is held. */
  void awaitEpochHeld() {
    awaitQueued(epochPermits);
  }

  /** Epochs that were trained, of all requests. */
  int epochs() {
    return epochs.get();
  }

  /** The next so many evaluations of policies are answered with UNAVAILABLE. */
  void failNext(int count) {
    unavailable.set(count);
  }

  /** The next so many evaluations of policies and trainings are answered with BUSY. */
  void busyNext(int count) {
    busy.set(count);
  }

  private void checkPlace() {
    if (busy.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
      throw new HaqException(Reason.BUSY, "others wait already");
    }
  }

  /** Evaluations of policies that were asked for. */
  int evaluations() {
    return evaluations.get();
  }

  /** How often sensitivities were asked for. */
  int measurements() {
    return measurements.get();
  }

  /** What sensitivities were asked for. */
  List<MeasureSensitivityRequest> measured() {
    return List.copyOf(measured);
  }

  /** Waits until somebody leaves who has asked for sensitivities. */
  boolean awaitMeasurementLeft() throws InterruptedException {
    return measurementLeft.await(30, TimeUnit.SECONDS);
  }

  /** The splits that were asked for. */
  List<Split> splits() {
    return List.copyOf(splits);
  }

  /** How often the model was asked for. */
  int modelCalls() {
    return modelCalls.get();
  }

  private Model model(GetModelRequest request, Call call) {
    modelCalls.incrementAndGet();
    checkModel(request.getId());
    return Model.newBuilder()
        .setId(MODEL)
        .setNetwork(NetworkWire.toProto(NETWORK))
        .setClasses(10)
        .build();
  }

  private static Dataset dataset(GetDatasetRequest request, Call call) {
    checkDataset(request.getId());
    return Dataset.newBuilder()
        .setId(request.getId())
        .setClasses(request.getId().equals(DATASET) ? 10 : 11)
        .build();
  }

  private static void checkModel(String id) {
    if (!id.equals(MODEL)) {
      throw new HaqException(
          Reason.UNKNOWN_MODEL, "there is no model '" + id + "': import it first");
    }
  }

  private static void checkDataset(String id) {
    if (!List.of(DATASET, MORE_CLASSES).contains(id)) {
      throw new HaqException(
          Reason.UNKNOWN_DATASET, "there is no dataset '" + id + "': import it first");
    }
  }

  private EvaluateResponse evaluate(EvaluateRequest request, Call call) {
    checkDataset(request.getData().getDataset());
    if (request.getModel().startsWith(TUNED)) {
      return response(
          tuned(BitsWire.fromProto(request.getPolicy().toBuilder().clearModel().build(), NETWORK)));
    }
    checkModel(request.getModel());
    splits.add(request.getData().getSplit());
    if (request.getData().hasPreprocessing()
        && request.getData().getPreprocessing().getCrop() != 0) {
      throw new HaqException(Reason.IMAGE_SIZE_MISMATCH, "the images are of another size");
    }
    if (!request.hasPolicy()) {
      return response(new Accuracy(IMAGES, 9_000, 9_900, 1234.5));
    }
    evaluations.incrementAndGet();
    if (unavailable.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
      throw new HaqException(Reason.UNAVAILABLE, "out for lunch");
    }
    checkPlace();
    AtomicBoolean held = new AtomicBoolean(true);
    call.onCancel(
        () -> {
          if (held.getAndSet(false)) {
            permits.release();
          }
        });
    permits.acquireUninterruptibly();
    held.set(false); // a caller that leaves later must not let another evaluation through
    return response(accuracy(BitsWire.fromProto(request.getPolicy(), NETWORK)));
  }

  /**
   * Trains epoch after epoch and remembers which it has trained. Shared weights it cannot train; a
   * rate above 1 diverges in the second epoch.
   */
  private void fineTune(FineTuneRequest request, ResponseStream<FineTuneResponse> out) {
    checkModel(request.getModel());
    FineTuning tuning = request.getRecipe().getFineTuning();
    if (tuning.hasData()) {
      checkDataset(tuning.getData().getDataset());
    }
    if (request.getRecipe().getName().startsWith("kmeans")) {
      throw new HaqException(
          Reason.UNSUPPORTED_OPERATOR, "operator Erf (node 'gelu') cannot be fine-tuned");
    }
    if (request.getCheckOnly()) {
      out.end();
      return;
    }
    checkPlace();
    AtomicBoolean held = new AtomicBoolean();
    out.onCancel(
        () -> {
          if (held.getAndSet(false)) {
            epochPermits.release();
          }
        });
    for (int epoch = trained.getOrDefault(request, 0) + 1; epoch <= tuning.getEpochs(); epoch++) {
      held.set(true);
      if (out.isCancelled() && held.getAndSet(false)) {
        return;
      }
      epochPermits.acquireUninterruptibly();
      held.set(false);
      if (out.isCancelled()) {
        return;
      }
      if (tuning.getLearningRate() > 1 && epoch == 2) {
        throw HaqException.invalid("fine-tuning diverges at learning rate 2.0: use a lower one");
      }
      trained.put(request, epoch);
      epochs.incrementAndGet();
      out.send(
          FineTuneResponse.newBuilder()
              .setProgress(
                  FineTuneProgress.newBuilder()
                      .setEpoch(epoch)
                      .setEpochs(tuning.getEpochs())
                      .setStep(epoch)
                      .setSteps(tuning.getEpochs())
                      .setLoss(1.0 / epoch)
                      .setSecondsLeft(tuning.getEpochs() - epoch))
              .build());
    }
    Policy policy = BitsWire.fromProto(request.getPolicy(), NETWORK);
    out.send(
        FineTuneResponse.newBuilder()
            .setResult(
                FineTuneResult.newBuilder()
                    .setModel(
                        Model.newBuilder().setId(TUNED + Integer.toHexString(request.hashCode())))
                    .setBefore(DataWire.toProto(accuracy(policy)))
                    .setAfter(DataWire.toProto(tuned(policy)))
                    .setSeconds(tuning.getEpochs()))
            .build());
    out.end();
  }

  /** Half of what quantization lost is won back. */
  private static Accuracy tuned(Policy policy) {
    int lost = 9_000 - accuracy(policy).top1Correct();
    return new Accuracy(IMAGES, 9_000 - lost / 2, IMAGES, 1234.5 + lost / 2.0);
  }

  /** Every width of every operand by itself, layer by layer; a second for each, it says. */
  private void sensitivity(
      MeasureSensitivityRequest request, ResponseStream<MeasureSensitivityResponse> out) {
    checkModel(request.getModel());
    measurements.incrementAndGet();
    measured.add(request);
    out.onCancel(measurementLeft::countDown);
    List<SensitivityEntry> entries = new ArrayList<>();
    for (int layer = 0; layer < NETWORK.size(); layer++) {
      for (int bits : request.getWeightBits().getBitsList()) {
        entries.add(entry(layer, Operand.WEIGHTS, bits));
      }
      for (int bits : request.getActivationBits().getBitsList()) {
        entries.add(entry(layer, Operand.ACTIVATIONS, bits));
      }
    }
    out.send(
        MeasureSensitivityResponse.newBuilder()
            .setStart(
                MeasureSensitivityResponse.Start.newBuilder()
                    .setBaseline(DataWire.toProto(new Accuracy(IMAGES, 9_000, 9_900, 1234.5)))
                    .setEntries(entries.size()))
            .build());
    for (int i = 0; i < entries.size(); i++) {
      if (i == entries.size() / 2) {
        sensitivityPermits.acquireUninterruptibly();
      }
      out.send(
          MeasureSensitivityResponse.newBuilder()
              .setEntry(
                  entries.get(i).toBuilder()
                      .setDone(i + 1)
                      .setSecondsLeft(entries.size() - (i + 1)))
              .build());
    }
    out.end();
  }

  private static SensitivityEntry entry(int layer, Operand operand, int bits) {
    Policy alone =
        Policy.unquantized(NETWORK.size())
            .with(layer, LayerBits.unquantized().with(operand, BitWidth.of(bits)));
    return SensitivityEntry.newBuilder()
        .setLayer(NETWORK.layer(layer).name())
        .setOperand(dev.haq.proto.model.v1.Operand.valueOf(operand.name()))
        .setBits(bits)
        .setAccuracy(DataWire.toProto(accuracy(alone)))
        .build();
  }

  private static Accuracy accuracy(Policy policy) {
    double lost = 0;
    for (int layer = 0; layer < policy.size(); layer++) {
      LayerBits bits = policy.get(layer);
      if (!bits.weights().isFloat()) {
        lost += (layer + 1) * (Math.pow(2, 8 - bits.weights().bits()) - 1);
      }
      if (!bits.activations().isFloat()) {
        lost += 3 * (Math.pow(2, 8 - bits.activations().bits()) - 1);
      }
    }
    int correct = (int) Math.max(1_000, 9_000 - lost);
    return new Accuracy(IMAGES, correct, IMAGES, 1234.5 + lost, OptionalDouble.of(lost));
  }

  private static EvaluateResponse response(Accuracy accuracy) {
    return EvaluateResponse.newBuilder().setAccuracy(DataWire.toProto(accuracy)).build();
  }

  private static Network network() {
    FeatureMap map = FeatureMap.square(8);
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      layers.add(
          new Layer.Conv2d(
              "/features/" + i + "/Conv", 3 + i, 4 + i, 1, Window.square(3, 1, 1), map, map, 4));
    }
    layers.add(new Layer.Linear("/classifier/Gemm", 512, 10, 1, 10));
    return new Network(MODEL, "small", layers, 0);
  }

  @Override
  public void close() {
    permits.release(1_000);
    epochPermits.release(1_000);
    permitSensitivities();
    server.close();
  }
}
