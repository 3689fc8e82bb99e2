package dev.haq.gateway.http;

import static dev.haq.gateway.http.Endpoints.query;

import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import dev.haq.gateway.GatewaySettings;
import dev.haq.gateway.backend.Backend;
import dev.haq.gateway.backend.Backends;
import dev.haq.model.HaqException;
import dev.haq.model.ImageSize;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.ExplainRequest;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.HardwareSimulatorGrpc;
import dev.haq.proto.hwsim.v1.ListTargetsRequest;
import dev.haq.proto.hwsim.v1.SimulateBatchRequest;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.model.v1.Preprocessing;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.DeleteDatasetRequest;
import dev.haq.proto.quantizer.v1.DeleteModelRequest;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.GetDatasetRequest;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.ImportDatasetRequest;
import dev.haq.proto.quantizer.v1.ImportModelRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsRequest;
import dev.haq.proto.quantizer.v1.ListModelsRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.wire.DataWire;
import io.grpc.MethodDescriptor;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;

/**
 * What a search is made of, and its parts on their own: {@code /v1/targets}, {@code /v1/models},
 * {@code /v1/datasets}, {@code /v1/simulate}, {@code /v1/simulate-batch}, {@code /v1/explain},
 * {@code /v1/find-parameter}, {@code /v1/describe-target}, {@code /v1/cost-table}, {@code
 * /v1/evaluate}.
 */
final class CatalogueApi {
  private final GatewaySettings.Limits limits;
  private final GatewaySettings.Deadlines deadlines;
  private final Backend hwsim;
  private final Backend quantizer;
  private final JsonBodies bodies;

  CatalogueApi(GatewaySettings settings, Backends backends, JsonBodies bodies) {
    this.limits = settings.limits();
    this.deadlines = settings.deadlines();
    this.hwsim = backends.hwsim();
    this.quantizer = backends.quantizer();
    this.bodies = bodies;
  }

  void mount(Router router) {
    router
        .get("/v1/targets")
        .handler(
            query(
                read(hwsim, HardwareSimulatorGrpc.getListTargetsMethod()),
                ctx -> Query.page(ctx, ListTargetsRequest.newBuilder()).build()));
    router
        .get("/v1/targets/:name")
        .handler(
            query(
                read(hwsim, HardwareSimulatorGrpc.getGetTargetMethod()),
                ctx -> GetTargetRequest.newBuilder().setName(Query.path(ctx, "name")).build()));
    router
        .get("/v1/models")
        .handler(
            query(
                read(quantizer, QuantizerGrpc.getListModelsMethod()),
                ctx -> Query.page(ctx, ListModelsRequest.newBuilder()).build()));
    router
        .get("/v1/models/:id")
        .handler(
            query(
                read(quantizer, QuantizerGrpc.getGetModelMethod()),
                ctx -> GetModelRequest.newBuilder().setId(Query.path(ctx, "id")).build()));
    router
        .delete("/v1/models/:id")
        .handler(
            query(
                delete(QuantizerGrpc.getDeleteModelMethod()),
                ctx -> DeleteModelRequest.newBuilder().setId(Query.path(ctx, "id")).build()));
    router
        .get("/v1/models/:id/onnx")
        .handler(ctx -> Download.model(quantizer, ctx, deadlines.upload(), Query.path(ctx, "id")));
    router
        .get("/v1/datasets")
        .handler(
            query(
                read(quantizer, QuantizerGrpc.getListDatasetsMethod()),
                ctx -> Query.page(ctx, ListDatasetsRequest.newBuilder()).build()));
    router
        .get("/v1/datasets/:id")
        .handler(
            query(
                read(quantizer, QuantizerGrpc.getGetDatasetMethod()),
                ctx -> GetDatasetRequest.newBuilder().setId(Query.path(ctx, "id")).build()));
    router
        .delete("/v1/datasets/:id")
        .handler(
            query(
                delete(QuantizerGrpc.getDeleteDatasetMethod()),
                ctx -> DeleteDatasetRequest.newBuilder().setId(Query.path(ctx, "id")).build()));
    router.post("/v1/models").handler(this::importModel);
    router.post("/v1/datasets").handler(this::importDataset);
    bodies.post(
        router,
        "/v1/simulate",
        call(hwsim, HardwareSimulatorGrpc.getSimulateMethod(), deadlines.simulate()),
        SimulateRequest::newBuilder,
        SimulateRequest.Builder::build);
    bodies.post(
        router,
        "/v1/describe-target",
        read(hwsim, HardwareSimulatorGrpc.getGetTargetMethod()),
        GetTargetRequest::newBuilder,
        GetTargetRequest.Builder::build);
    bodies.post(
        router,
        "/v1/cost-table",
        call(hwsim, HardwareSimulatorGrpc.getBuildCostTableMethod(), deadlines.simulate()),
        BuildCostTableRequest::newBuilder,
        BuildCostTableRequest.Builder::build);
    bodies.post(
        router,
        "/v1/simulate-batch",
        call(hwsim, HardwareSimulatorGrpc.getSimulateBatchMethod(), deadlines.simulate()),
        SimulateBatchRequest::newBuilder,
        SimulateBatchRequest.Builder::build);
    bodies.post(
        router,
        "/v1/explain",
        call(hwsim, HardwareSimulatorGrpc.getExplainMethod(), deadlines.simulate()),
        ExplainRequest::newBuilder,
        ExplainRequest.Builder::build);
    bodies.post(
        router,
        "/v1/find-parameter",
        call(hwsim, HardwareSimulatorGrpc.getFindParameterMethod(), deadlines.simulate()),
        FindParameterRequest::newBuilder,
        FindParameterRequest.Builder::build);
    bodies.post(
        router,
        "/v1/evaluate",
        call(quantizer, QuantizerGrpc.getEvaluateMethod(), deadlines.evaluate()),
        EvaluateRequest::newBuilder,
        EvaluateRequest.Builder::build);
  }

  private <Q, R extends Message> UnaryCall<Q, R> read(
      Backend backend, MethodDescriptor<Q, R> method) {
    return call(backend, method, deadlines.read());
  }

  /** A file system may take its time to give up large files. */
  private <Q> UnaryCall<Q, Empty> delete(MethodDescriptor<Q, Empty> method) {
    return new UnaryCall<>(quantizer, method, deadlines.session(), nothing -> Reply.noContent());
  }

  private static <Q, R extends Message> UnaryCall<Q, R> call(
      Backend backend, MethodDescriptor<Q, R> method, Duration deadline) {
    return new UnaryCall<>(backend, method, deadline, Reply::ok);
  }

  private void importModel(RoutingContext ctx) {
    ImportModelRequest.Header.Builder header = ImportModelRequest.Header.newBuilder();
    Query.text(ctx, "name").ifPresent(header::setName);
    Query.text(ctx, "image_size")
        .map(ImageSize::parse)
        .ifPresent(
            size -> header.getImageSizeBuilder().setHeight(size.height()).setWidth(size.width()));
    Upload.Plan<ImportModelRequest, Model> plan =
        new Upload.Plan<>(
            quantizer,
            QuantizerGrpc.getImportModelMethod(),
            deadlines.upload(),
            deadlines.body(),
            bytes -> ImportModelRequest.newBuilder().setChunk(bytes).build(),
            limits.modelBytes(),
            "HAQ_GATEWAY_MAX_MODEL_BYTES",
            limits.uploadChunkBytes(),
            model -> Reply.created(model, "/v1/models/" + model.getId()));
    Upload.start(plan, ctx, ImportModelRequest.newBuilder().setHeader(header).build());
  }

  private void importDataset(RoutingContext ctx) {
    ImportDatasetRequest.Header.Builder header =
        ImportDatasetRequest.Header.newBuilder().setFormat(format(ctx));
    Query.text(ctx, "name").ifPresent(header::setName);
    Query.text(ctx, "preprocess")
        .map(CatalogueApi::preprocessing)
        .ifPresent(header::setPreprocessing);
    Upload.Plan<ImportDatasetRequest, Dataset> plan =
        new Upload.Plan<>(
            quantizer,
            QuantizerGrpc.getImportDatasetMethod(),
            deadlines.upload(),
            deadlines.body(),
            bytes -> ImportDatasetRequest.newBuilder().setChunk(bytes).build(),
            limits.datasetBytes(),
            "HAQ_GATEWAY_MAX_DATASET_BYTES",
            limits.uploadChunkBytes(),
            dataset -> Reply.created(dataset, "/v1/datasets/" + dataset.getId()));
    Upload.start(plan, ctx, ImportDatasetRequest.newBuilder().setHeader(header).build());
  }

  /** The format named in the query; unspecified, told from the file, where none is. */
  private static ImportDatasetRequest.Header.Format format(RoutingContext ctx) {
    List<ImportDatasetRequest.Header.Format> known =
        Arrays.stream(ImportDatasetRequest.Header.Format.values())
            .filter(format -> format != ImportDatasetRequest.Header.Format.UNRECOGNIZED)
            .filter(format -> format != ImportDatasetRequest.Header.Format.FORMAT_UNSPECIFIED)
            .toList();
    return Query.text(ctx, "format")
        .map(
            name ->
                known.stream()
                    .filter(format -> format.name().equals(name))
                    .findFirst()
                    .orElseThrow(
                        () ->
                            HaqException.invalid(
                                "there is no dataset format '%s': use one of %s, or none to have it"
                                    + " told from the file",
                                name, known)))
        .orElse(ImportDatasetRequest.Header.Format.FORMAT_UNSPECIFIED);
  }

  /** A preset's name, or the JSON of a Preprocessing. */
  private static Preprocessing preprocessing(String text) {
    return text.startsWith("{")
        ? ProtoJson.parse(text, "parameter 'preprocess'", Preprocessing.newBuilder()).build()
        : DataWire.toProto(dev.haq.model.Preprocessing.preset(text));
  }
}
