package dev.haq.agent.grpc;

import dev.haq.agent.search.AccuracyEvaluator;
import dev.haq.agent.search.HardwareCosts;
import dev.haq.agent.search.SensitivityMeter;
import dev.haq.agent.session.Backend;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Preparation;
import dev.haq.agent.session.SessionSpec;
import dev.haq.agent.session.TargetHandle;
import dev.haq.agent.session.Tuned;
import dev.haq.agent.session.TuningProgress;
import dev.haq.model.Accuracy;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Network;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.GetDatasetRequest;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.proto.quantizer.v1.QuantizerGrpc.QuantizerBlockingStub;
import dev.haq.rpc.RpcChannel;
import dev.haq.wire.NetworkWire;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** The simulator and the quantizer over gRPC, for one session after the other. */
public final class GrpcBackends implements Backend.Factory {
  static final String SIMULATOR = "the hardware simulator";
  static final String QUANTIZER = "the quantizer";

  private final RpcChannel hwsim;
  private final RpcChannel quantizer;
  private final Duration patience;
  private final int shards;

  /** Makes the calls of shards; idle threads end. */
  private final ExecutorService shardCalls = Executors.newCachedThreadPool(GrpcBackends::thread);

  /**
   * @param patience how long a session waits for a service that is away; for a busy one it waits as
   *     long as that takes
   * @param shards that each evaluation is divided into, at least 1
   */
  public GrpcBackends(RpcChannel hwsim, RpcChannel quantizer, Duration patience, int shards) {
    this.hwsim = hwsim;
    this.quantizer = quantizer;
    this.patience = patience;
    this.shards = shards;
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "evaluation-shard");
    thread.setDaemon(true);
    return thread;
  }

  @Override
  public Backend open(SessionSpec spec, boolean patient) {
    return new GrpcBackend(spec, patient ? PatientCalls.waiting(patience) : PatientCalls.once());
  }

  private final class GrpcBackend implements Backend {
    private final SessionSpec spec;
    private final PatientCalls calls;
    private final QuantizerBlockingStub stub = QuantizerGrpc.newBlockingStub(quantizer.channel());
    private final ShardedEvaluations evaluations;
    private Model model; // null until asked for

    GrpcBackend(SessionSpec spec, PatientCalls calls) {
      this.spec = spec;
      this.calls = calls;
      // Where a recipe trains for each policy, every shard would train.
      boolean trains = spec.recipe().isTrained();
      int parts = trains ? 1 : shards;
      this.evaluations = new ShardedEvaluations(stub, calls, parts, trains, shardCalls);
    }

    @Override
    public Network network() {
      return NetworkWire.fromProto(model().getNetwork());
    }

    private Model model() {
      if (model == null) {
        GetModelRequest request = GetModelRequest.newBuilder().setId(spec.model()).build();
        model = calls.call(QUANTIZER, () -> stub.getModel(request));
      }
      return model;
    }

    /** One image has one label: those of the others are known by the dataset's classes. */
    @Override
    public void checkData(Network network) {
      DataSelection data = spec.data();
      checkClasses("spec.data", data, dataset(data.datasetId()));
      new GrpcAccuracyEvaluator(
              evaluations.whole(), spec, data.withMaxImages(1), network, Optional.empty())
          .baseline();
      checkTraining(spec.recipe(), network);
      spec.finalRecipe().ifPresent(recipe -> checkTraining(recipe, network));
    }

    private void checkTraining(Recipe recipe, Network network) {
      if (recipe.isTrained()) {
        recipe
            .training()
            .data()
            .ifPresent(
                images -> checkClasses("images to train on", images, dataset(images.datasetId())));
        tuner(network).check(recipe);
      }
    }

    /** Where only some images are chosen, theirs may be classes that the model has. */
    private void checkClasses(String field, DataSelection data, Dataset dataset) {
      boolean all = data.maxImages() == 0;
      if (all && dataset.getClasses() > model().getClasses()) {
        throw new HaqException(
            Reason.LABEL_OUT_OF_RANGE,
            "%s: dataset '%s' has %d classes, model '%s' tells %d apart: use data of this model's classes"
                .formatted(
                    field,
                    dataset.getId(),
                    dataset.getClasses(),
                    spec.model(),
                    model().getClasses()));
      }
    }

    private Dataset dataset(String id) {
      GetDatasetRequest request = GetDatasetRequest.newBuilder().setId(id).build();
      return calls.call(QUANTIZER, () -> stub.getDataset(request));
    }

    @Override
    public HardwareCosts costs(Network network, TargetHandle target) {
      return new GrpcHardwareCosts(
          HardwareSimulatorGrpc.newBlockingStub(hwsim.channel()),
          calls,
          TargetWire.toProto(target),
          network,
          spec.recipe().hasCodebooks());
    }

    @Override
    public AccuracyEvaluator evaluator(Network network, Optional<Accuracy> baseline) {
      return new GrpcAccuracyEvaluator(evaluations, spec, spec.data(), network, baseline);
    }

    @Override
    public Tuned tune(Network network, Episode best, Consumer<TuningProgress> listener) {
      return tuner(network).tune(best, listener);
    }

    private GrpcFineTuner tuner(Network network) {
      return new GrpcFineTuner(stub, calls, evaluations, spec, network);
    }

    @Override
    public SensitivityMeter sensitivities(Network network, Consumer<Preparation> progress) {
      return new GrpcSensitivityMeter(stub, calls, spec, network, progress);
    }

    @Override
    public void abort() {
      calls.abort();
    }

    /** The channels are shared; only what is still under way ends. */
    @Override
    public void close() {
      calls.abort();
    }
  }
}
