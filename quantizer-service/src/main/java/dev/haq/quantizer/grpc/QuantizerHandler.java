package dev.haq.quantizer.grpc;

import dev.haq.model.BitChoices;
import dev.haq.model.Policy;
import dev.haq.model.Shard;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.proto.quantizer.v1.FineTuneResult;
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
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.Sensitivity;
import dev.haq.quantizer.export.Exporter;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.ModelDescription;
import dev.haq.quantizer.onnx.ModelStore;
import dev.haq.quantizer.onnx.StoredModel;
import dev.haq.quantizer.tune.TunedModels;
import dev.haq.quantizer.tune.TuningRequest;
import dev.haq.rpc.Call;
import dev.haq.rpc.ResponseStream;
import dev.haq.rpc.RpcService;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import dev.haq.wire.Page;
import dev.haq.wire.RecipeWire;
import java.util.List;
import java.util.Optional;

/** {@code haq.quantizer.v1.Quantizer}: each method decodes, calls, encodes. */
public final class QuantizerHandler {
  private final ModelStore models;
  private final DatasetStore datasets;
  private final Evaluator evaluator;
  private final Sensitivity sensitivity;
  private final TunedModels tuned;
  private final Exporter exporter;

  public QuantizerHandler(
      ModelStore models,
      DatasetStore datasets,
      Evaluator evaluator,
      Sensitivity sensitivity,
      TunedModels tuned) {
    this.models = models;
    this.datasets = datasets;
    this.evaluator = evaluator;
    this.sensitivity = sensitivity;
    this.tuned = tuned;
    this.exporter = new Exporter(evaluator);
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
        .serverStream(
            QuantizerGrpcService.DownloadModel,
            (request, out) -> new ModelDownload(models, request.getId(), out).send())
        .unary(QuantizerGrpcService.ListDatasets, this::listDatasets)
        .unary(QuantizerGrpcService.Evaluate, this::evaluate)
        .serverStream(QuantizerGrpcService.MeasureSensitivity, this::measureSensitivity)
        .serverStream(QuantizerGrpcService.Export, this::export)
        .serverStream(QuantizerGrpcService.FineTune, this::fineTune);
  }

  private Model getModel(GetModelRequest request, Call call) {
    return ModelDescription.toProto(models.describe(request.getId()));
  }

  private ListModelsResponse listModels(ListModelsRequest request, Call call) {
    List<StoredModel> all = models.list();
    Page page = Page.of(request.getPageToken(), request.getPageSize(), all.size());
    return ListModelsResponse.newBuilder()
        .addAllModels(
            all.subList(page.from(), page.to()).stream().map(ModelDescription::toProto).toList())
        .setNextPageToken(page.next(all.size()))
        .build();
  }

  private ListDatasetsResponse listDatasets(ListDatasetsRequest request, Call call) {
    List<Dataset> all = datasets.list().stream().map(QuantizerWire::toProto).toList();
    Page page = Page.of(request.getPageToken(), request.getPageSize(), all.size());
    return ListDatasetsResponse.newBuilder()
        .addAllDatasets(all.subList(page.from(), page.to()))
        .setNextPageToken(page.next(all.size()))
        .build();
  }

  private EvaluateResponse evaluate(EvaluateRequest request, Call call) {
    ImportedModel model = models.get(request.getModel(), call::isCancelled);
    Optional<Policy> policy =
        request.hasPolicy()
            ? Optional.of(BitsWire.fromProto(request.getPolicy(), model.network()))
            : Optional.empty();
    return QuantizerWire.toProto(
        evaluator.evaluate(
            new Evaluator.Request(
                model,
                DataWire.fromProto(request.getData()),
                policy,
                RecipeWire.fromProto(request.getRecipe()),
                request.getCompareSpeed(),
                request.hasShard() ? DataWire.fromProto(request.getShard()) : Shard.WHOLE,
                request.getMeasureDivergence()),
            call::isCancelled));
  }

  private void measureSensitivity(
      MeasureSensitivityRequest request, ResponseStream<MeasureSensitivityResponse> out) {
    sensitivity.measure(
        new Sensitivity.Request(
            models.get(request.getModel(), out::isCancelled),
            DataWire.fromProto(request.getData()),
            RecipeWire.fromProto(request.getRecipe()),
            choices(request.hasWeightBits(), request.getWeightBits()),
            choices(request.hasActivationBits(), request.getActivationBits())),
        new SensitivityStream(out),
        out::isCancelled);
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
    ExportStream.send(exporter.export(wanted, out::isCancelled), out);
  }

  private void fineTune(FineTuneRequest request, ResponseStream<FineTuneResponse> out) {
    ImportedModel model = models.get(request.getModel(), out::isCancelled);
    TuningRequest tuning =
        new TuningRequest(
            model,
            BitsWire.fromProto(request.getPolicy(), model.network()),
            RecipeWire.fromProto(request.getRecipe()),
            DataWire.fromProto(request.getData()),
            request.getName());
    if (request.getCheckOnly()) {
      tuned.check(tuning);
      out.end();
      return;
    }
    FineTuneResult result = tuned.tune(tuning, new FineTuneProgressStream(out), out::isCancelled);
    out.send(FineTuneResponse.newBuilder().setResult(result).build());
    out.end();
  }
}
