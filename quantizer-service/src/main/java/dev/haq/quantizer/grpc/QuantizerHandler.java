package dev.haq.quantizer.grpc;

import dev.haq.model.HaqException;
import dev.haq.model.Policy;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsResponse;
import dev.haq.proto.quantizer.v1.ListModelsRequest;
import dev.haq.proto.quantizer.v1.ListModelsResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpcService;
import dev.haq.quantizer.data.DatasetStore;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.onnx.ModelDescription;
import dev.haq.quantizer.onnx.ModelStore;
import dev.haq.quantizer.onnx.StoredModel;
import dev.haq.rpc.Call;
import dev.haq.rpc.RpcService;
import dev.haq.wire.BitsWire;
import dev.haq.wire.DataWire;
import java.util.List;
import java.util.Optional;

/** {@code haq.quantizer.v1.Quantizer}: each method decodes, calls, encodes. */
public final class QuantizerHandler {
  private static final int PAGE_SIZE = 100;

  private final ModelStore models;
  private final DatasetStore datasets;
  private final Evaluator evaluator;

  public QuantizerHandler(ModelStore models, DatasetStore datasets, Evaluator evaluator) {
    this.models = models;
    this.datasets = datasets;
    this.evaluator = evaluator;
  }

  /** The methods, for a server. */
  public RpcService service() {
    return RpcService.named(
            QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
        .clientStream(QuantizerGrpcService.ImportModel, call -> new ModelUpload(models))
        .clientStream(QuantizerGrpcService.ImportDataset, call -> new DatasetUploadStream(datasets))
        .unary(QuantizerGrpcService.ListModels, this::listModels)
        .unary(QuantizerGrpcService.GetModel, this::getModel)
        .unary(QuantizerGrpcService.ListDatasets, this::listDatasets)
        .unary(QuantizerGrpcService.Evaluate, this::evaluate);
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
    ImportedModel model = models.get(request.getModel());
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
                DataWire.fromProto(request.getRecipe()),
                request.getCompareSpeed()),
            call::isCancelled));
  }

  /** A slice of a list; its token is where the next one starts. */
  private record Page(int from, int to) {
    static Page of(String token, int size, int total) {
      if (size < 0) {
        throw HaqException.invalid("page_size %d must not be negative", size);
      }
      if (!token.matches("[0-9]{0,8}") || (!token.isEmpty() && Integer.parseInt(token) > total)) {
        throw HaqException.invalid(
            "page_token '%s' is not one of this service: use next_page_token, or none", token);
      }
      int from = token.isEmpty() ? 0 : Integer.parseInt(token);
      return new Page(
          from, Math.min(total, from + (size == 0 ? PAGE_SIZE : Math.min(size, PAGE_SIZE))));
    }

    String next(int total) {
      return to < total ? Integer.toString(to) : "";
    }
  }
}
