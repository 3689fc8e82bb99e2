package dev.haq.quantizer.grpc;

import com.google.protobuf.Empty;
import dev.haq.model.BitChoices;
import dev.haq.model.DataSelection;
import dev.haq.model.HaqException;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.model.Shard;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.DeleteDatasetRequest;
import dev.haq.proto.quantizer.v1.DeleteModelRequest;
import dev.haq.proto.quantizer.v1.DownloadModelRequest;
import dev.haq.proto.quantizer.v1.DownloadModelResponse;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.proto.quantizer.v1.GetDatasetRequest;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsResponse;
import dev.haq.proto.quantizer.v1.ListModelsRequest;
import dev.haq.proto.quantizer.v1.ListModelsResponse;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpcService;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.eval.EvaluationRequest;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.Sensitivity;
import dev.haq.quantizer.export.ExportedFile;
import dev.haq.quantizer.export.Exporter;
import dev.haq.quantizer.models.ModelDescription;
import dev.haq.quantizer.models.ModelStore;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.tune.TunedModels;
import dev.haq.quantizer.tune.TuningRequest;
import dev.haq.rpc.Call;
import dev.haq.rpc.ResponseStream;
import dev.haq.rpc.RpcService;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.RecipeWire;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;

/** {@code haq.quantizer.v1.Quantizer}: each method decodes, calls, encodes. */
public final class QuantizerHandler {
  private final ModelStore models;
  private final DatasetStore datasets;
  private final Evaluator evaluator;
  private final Sensitivity sensitivity;
  private final TunedModels tuned;
  private final Exporter exporter;
  private final ExportedFiles exported;
  private final SentFiles sent = new SentFiles();

  /**
   * @param exports a folder for exported files until they are sent
   */
  public QuantizerHandler(
      ModelStore models,
      DatasetStore datasets,
      Evaluator evaluator,
      Sensitivity sensitivity,
      TunedModels tuned,
      Path exports) {
    this.models = models;
    this.datasets = datasets;
    this.evaluator = evaluator;
    this.sensitivity = sensitivity;
    this.tuned = tuned;
    this.exporter = new Exporter(evaluator);
    this.exported = new ExportedFiles(exports);
  }

  /** The methods, for a server. */
  public RpcService service() {
    return RpcService.named(
            QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
        .clientStream(QuantizerGrpcService.ImportModel, call -> new ModelUpload(models, call))
        .clientStream(
            QuantizerGrpcService.ImportDataset, call -> new DatasetUploadStream(datasets, call))
        .unary(QuantizerGrpcService.ListModels, this::listModels)
        .unary(QuantizerGrpcService.GetModel, this::getModel)
        .serverStream(QuantizerGrpcService.DownloadModel, this::downloadModel)
        .unary(QuantizerGrpcService.DeleteModel, this::deleteModel)
        .unary(QuantizerGrpcService.ListDatasets, this::listDatasets)
        .unary(QuantizerGrpcService.GetDataset, this::getDataset)
        .unary(QuantizerGrpcService.DeleteDataset, this::deleteDataset)
        .unary(QuantizerGrpcService.Evaluate, this::evaluate)
        .serverStream(QuantizerGrpcService.MeasureSensitivity, this::measureSensitivity)
        .serverStream(QuantizerGrpcService.Export, this::export)
        .serverStream(QuantizerGrpcService.FineTune, this::fineTune);
  }

  private Model getModel(GetModelRequest request, Call call) {
    return ModelDescription.toProto(models.describe(request.getId()));
  }

  private void downloadModel(
      DownloadModelRequest request, ResponseStream<DownloadModelResponse> out) {
    long bytes = models.describe(request.getId()).sizeBytes();
    try (SentFiles.Place place = sent.enter()) {
      place.send(
          models.open(request.getId()),
          chunk -> DownloadModelResponse.newBuilder().setSizeBytes(bytes).setChunk(chunk).build(),
          out);
    }
  }

  private ListModelsResponse listModels(ListModelsRequest request, Call call) {
    Listing<Model> listing =
        Listing.of(
            models.list(),
            model -> new Listing.Place(model.created(), model.id()),
            request.getPageToken(),
            request.getPageSize(),
            QuantizerWire::listed);
    return ListModelsResponse.newBuilder()
        .addAllModels(listing.page())
        .setNextPageToken(listing.next())
        .build();
  }

  private Empty deleteModel(DeleteModelRequest request, Call call) {
    models.delete(request.getId());
    forget(request.getId());
    return Empty.getDefaultInstance();
  }

  private void forget(String id) {
    sensitivity.forget(id);
    tuned.forget(id);
    evaluator.forget(id);
  }

  private ListDatasetsResponse listDatasets(ListDatasetsRequest request, Call call) {
    Listing<Dataset> listing =
        Listing.of(
            datasets.list(),
            dataset -> new Listing.Place(dataset.created(), dataset.id()),
            request.getPageToken(),
            request.getPageSize(),
            QuantizerWire::toProto);
    return ListDatasetsResponse.newBuilder()
        .addAllDatasets(listing.page())
        .setNextPageToken(listing.next())
        .build();
  }

  private Dataset getDataset(GetDatasetRequest request, Call call) {
    return QuantizerWire.toProto(datasets.get(request.getId()));
  }

  private Empty deleteDataset(DeleteDatasetRequest request, Call call) {
    datasets.delete(request.getId());
    forget(request.getId());
    return Empty.getDefaultInstance();
  }

  private EvaluateResponse evaluate(EvaluateRequest request, Call call) {
    ImportedModel model = models.get(request.getModel(), call::isCancelled);
    Optional<Policy> policy =
        request.hasPolicy()
            ? Optional.of(BitsWire.fromProto(request.getPolicy(), model.network()))
            : Optional.empty();
    EvaluationRequest wanted =
        new EvaluationRequest(
            model,
            DataWire.fromProto(request.getData()),
            policy,
            RecipeWire.fromProto(request.getRecipe()),
            request.getCompareSpeed(),
            request.hasShard() ? DataWire.fromProto(request.getShard()) : Shard.WHOLE,
            request.getMeasureDivergence());
    require(wanted.data(), wanted.recipe());
    return QuantizerWire.toProto(evaluator.evaluate(wanted, call::isCancelled));
  }

  /** Refuses what was deleted: an answer may be known from before. */
  private void require(DataSelection data, Recipe recipe) {
    datasets.require(data.datasetId());
    if (recipe.isTrained()) {
      recipe.training().data().ifPresent(training -> datasets.require(training.datasetId()));
    }
  }

  /** Drops what work that was under way has kept of what was deleted meanwhile. */
  private void forgetDeleted(ImportedModel model, DataSelection data, Recipe recipe) {
    try {
      models.describe(model.id());
    } catch (HaqException e) {
      forgetIf(Reason.UNKNOWN_MODEL, e, model.id());
    }
    forgetDeleted(data);
    if (recipe.isTrained()) {
      recipe.training().data().ifPresent(this::forgetDeleted);
    }
  }

  private void forgetDeleted(DataSelection data) {
    try {
      datasets.require(data.datasetId());
    } catch (HaqException e) {
      forgetIf(Reason.UNKNOWN_DATASET, e, data.datasetId());
    }
  }

  private void forgetIf(Reason reason, HaqException told, String id) {
    if (told.reason() == reason) {
      forget(id);
    }
  }

  private void measureSensitivity(
      MeasureSensitivityRequest request, ResponseStream<MeasureSensitivityResponse> out) {
    Sensitivity.Request wanted =
        new Sensitivity.Request(
            models.get(request.getModel(), out::isCancelled),
            DataWire.fromProto(request.getData()),
            RecipeWire.fromProto(request.getRecipe()),
            choices(request.hasWeightBits(), request.getWeightBits()),
            choices(request.hasActivationBits(), request.getActivationBits()));
    require(wanted.data(), wanted.recipe());
    try {
      sensitivity.measure(wanted, new SensitivityStream(out), out::isCancelled);
    } finally {
      forgetDeleted(wanted.model(), wanted.data(), wanted.recipe());
    }
    out.end();
  }

  private static BitChoices choices(boolean given, dev.haq.proto.model.v1.BitChoices message) {
    return given ? BitsWire.fromProto(message) : BitChoices.PAPER;
  }

  private void export(ExportRequest request, ResponseStream<ExportResponse> out) {
    ImportedModel model = models.get(request.getModel(), out::isCancelled);
    Exporter.Request wanted =
        new Exporter.Request(
            model,
            request.hasPolicy()
                ? BitsWire.fromProto(request.getPolicy(), model.network())
                : Policy.unquantized(model.network().size()),
            RecipeWire.fromProto(request.getRecipe()),
            request.hasData()
                ? Optional.of(DataWire.fromProto(request.getData()))
                : Optional.empty(),
            QuantizerWire.fromProto(request.getFormat()),
            request.getPowerOfTwoScales());
    try (SentFiles.Place place = sent.enter()) {
      ExportedFile file = exporter.export(wanted, out::isCancelled);
      InputStream content = exported.onDisk(file.content());
      out.send(ExportedFiles.header(file));
      place.send(content, chunk -> ExportResponse.newBuilder().setChunk(chunk).build(), out);
    }
  }

  private void fineTune(FineTuneRequest request, ResponseStream<FineTuneResponse> out) {
    ImportedModel model = models.get(request.getModel(), out::isCancelled);
    TuningRequest tuning =
        new TuningRequest(
            model,
            BitsWire.fromProto(request.getPolicy(), model.network()),
            RecipeWire.fromProto(request.getRecipe()),
            DataWire.fromProto(request.getData()),
            QuantizerWire.name(request.getName()));
    require(tuning.data(), tuning.recipe());
    if (request.getCheckOnly()) {
      tuned.check(tuning, out::isCancelled);
      out.end();
      return;
    }
    FineTuneResult result;
    try {
      result = tuned.tune(tuning, new FineTuneProgressStream(out), out::isCancelled);
    } finally {
      forgetDeleted(tuning.model(), tuning.data(), tuning.recipe());
    }
    out.send(FineTuneResponse.newBuilder().setResult(result).build());
    out.end();
  }
}
