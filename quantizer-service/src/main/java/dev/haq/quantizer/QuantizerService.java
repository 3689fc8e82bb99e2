package dev.haq.quantizer;

import dev.haq.model.HaqException;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.data.Datasets;
import dev.haq.quantizer.disk.FilesOf;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.Sensitivity;
import dev.haq.quantizer.eval.SensitivityStore;
import dev.haq.quantizer.graphs.IntegerGraph;
import dev.haq.quantizer.graphs.Processor;
import dev.haq.quantizer.grpc.QuantizerHandler;
import dev.haq.quantizer.models.ModelStore;
import dev.haq.quantizer.train.StraightThroughTuner;
import dev.haq.quantizer.tune.TunedModels;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.ServiceProcess;
import dev.haq.rpc.ServiceRuntime;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The quantizer-evaluator as a running service on one port. */
public final class QuantizerService implements AutoCloseable {
  private final RpcServer server;
  private final Evaluator evaluator;
  private final TunedModels tuned;

  private QuantizerService(RpcServer server, Evaluator evaluator, TunedModels tuned) {
    this.server = server;
    this.evaluator = evaluator;
    this.tuned = tuned;
  }

  /** {@code QuantizerService [--config FILE]}: the quantizer as a process of its own. */
  public static void main(String[] args) {
    ServiceProcess.run(
        args, QuantizerSettings.class, QuantizerSettings.RESOURCE, QuantizerService::start);
  }

  /**
   * Starts listening; returns once it does. To be called from a plain thread.
   *
   * @throws HaqException when the port is taken or the data folder cannot be used
   */
  public static QuantizerService start(ServiceRuntime runtime, QuantizerSettings settings) {
    ModelStore models =
        new ModelStore(
            settings.dataDir().resolve("models"),
            settings.limits().modelBytes(),
            settings.cache().models());
    DatasetStore datasets =
        new DatasetStore(
            settings.dataDir().resolve("datasets"),
            settings.archiveLimits(),
            settings.cache().imageBytes());
    Evaluator evaluator =
        new Evaluator(
            new Datasets(datasets),
            new IntegerGraph(Processor.detect()),
            new StraightThroughTuner(settings.evaluatorLimits().threads()),
            settings.evaluatorLimits());
    TunedModels tuned = new TunedModels(settings.dataDir().resolve("tunings"), models, evaluator);
    try {
      Sensitivity sensitivity =
          new Sensitivity(
              evaluator, new SensitivityStore(settings.dataDir().resolve("sensitivity")));
      FilesOf.removeUnknown(
          List.of(
              settings.dataDir().resolve("sensitivity"),
              settings.dataDir().resolve("tunings"),
              datasets.preparedFolder()),
          () -> stored(models, datasets));
      tuned.removeUnknown();
      RpcServer server =
          RpcServer.builder(runtime, "quantizer")
              .host(settings.host())
              .port(settings.port())
              .service(
                  new QuantizerHandler(
                          models,
                          datasets,
                          evaluator,
                          sensitivity,
                          tuned,
                          settings.dataDir().resolve("exports"))
                      .service())
              .start();
      return new QuantizerService(server, evaluator, tuned);
    } catch (RuntimeException e) {
      evaluator.close();
      throw e;
    }
  }

  private static Set<String> stored(ModelStore models, DatasetStore datasets) {
    return Stream.concat(models.ids().stream(), datasets.ids().stream())
        .collect(Collectors.toSet());
  }

  /** The port it listens on. */
  public int port() {
    return server.port();
  }

  /** Stops gracefully; to be called from a plain thread. */
  @Override
  public void close() {
    // Would take longer than anybody waits; it goes on when asked again.
    tuned.close();
    server.close();
    evaluator.close();
  }
}
