package dev.haq.quantizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.ImportDatasetRequest;
import dev.haq.proto.quantizer.v1.ImportModelRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsRequest;
import dev.haq.proto.quantizer.v1.ListModelsRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.quantizer.grpc.Uploads;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.rpc.RpcErrors;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.wire.DataWire;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service over real gRPC, called as any client would. */
final class QuantizerServiceTest {
  private static final String BUILTIN = "builtin:shapes";
  private static final int RECORD = 3073;

  @TempDir static Path folder;
  private static ServiceRuntime runtime;
  private static QuantizerService service;
  private static ManagedChannel channel;
  private static QuantizerGrpc.QuantizerBlockingStub stub;

  @BeforeAll
  static void start() {
    runtime = ServiceRuntime.create();
    service =
        QuantizerService.start(
            runtime, QuantizerSettings.defaults().withAddress("127.0.0.1", 0).withDataDir(folder));
    channel = ManagedChannelBuilder.forAddress("127.0.0.1", service.port()).usePlaintext().build();
    stub = QuantizerGrpc.newBlockingStub(channel);
  }

  @AfterAll
  static void stop() {
    channel.shutdownNow();
    service.close();
    runtime.close();
  }

  @Test
  void theBuiltInModelAndDataAreThereFromTheStart() {
    Model model = stub.getModel(GetModelRequest.newBuilder().setId(BUILTIN).build());
    assertEquals(10, model.getClasses());
    assertEquals(List.of(3, 32, 32), model.getInputShapeList());
    assertTrue(
        stub.listModels(ListModelsRequest.getDefaultInstance()).getModelsList().stream()
            .anyMatch(m -> m.getId().equals(BUILTIN)));
    assertTrue(
        stub.listDatasets(ListDatasetsRequest.getDefaultInstance()).getDatasetsList().stream()
            .anyMatch(d -> d.getId().equals(BUILTIN)));
  }

  @Test
  void aPolicyCostsAccuracyAndIsAnsweredFromTheCacheTheSecondTime() {
    Model model = stub.getModel(GetModelRequest.newBuilder().setId(BUILTIN).build());
    EvaluateResponse baseline = stub.evaluate(builtin().build());
    EvaluateRequest coarse = builtin().setPolicy(uniform(model, 2)).build();
    EvaluateResponse quantized = stub.evaluate(coarse);

    assertEquals(200, baseline.getAccuracy().getImages());
    assertTrue(baseline.getAccuracy().getTop1() > 60, "float model");
    assertTrue(quantized.getAccuracy().getTop1() < baseline.getAccuracy().getTop1() - 10);
    assertTrue(stub.evaluate(coarse).getCached());
  }

  @Test
  void comparedSpeedsAreBothAnswered() {
    Model model = stub.getModel(GetModelRequest.newBuilder().setId(BUILTIN).build());
    EvaluateResponse compared =
        stub.evaluate(builtin().setPolicy(uniform(model, 8)).setCompareSpeed(true).build());
    assertTrue(compared.getSeconds() > 0);
    assertTrue(compared.getFloatSeconds() > 0);
  }

  @Test
  void anUploadedModelAndDatasetAreEvaluatedTogether() {
    Model model = importModel(smallModel(10)).join();
    Dataset dataset = importCifar(new int[] {0, 9, 3, 4}).join();
    EvaluateResponse response =
        stub.evaluate(
            EvaluateRequest.newBuilder()
                .setModel(model.getId())
                .setData(DataSelection.newBuilder().setDataset(dataset.getId()))
                .setPolicy(uniform(model, 6))
                .build());
    assertEquals(4, response.getAccuracy().getImages());
  }

  @Test
  void whatIsNoModelIsRefusedAndNothingOfItIsKept() throws Exception {
    byte[] text = "hello, this is text".getBytes(StandardCharsets.UTF_8);
    List<String> before = files();
    assertEquals(Reason.INVALID_MODEL, reason(importModel(text)));
    SmallModel empty = new SmallModel(3, 8, 8);
    assertEquals(
        Reason.NO_QUANTIZABLE_LAYERS, reason(importModel(empty.bytes(empty.pooled("image")))));
    assertEquals(before, files());
  }

  @Test
  void dataThatDoesNotFitTheModelIsRefused() {
    Model twoClasses = importModel(smallModel(2)).join();
    Dataset nines = importCifar(new int[] {9, 9}).join();
    assertEquals(
        Reason.LABEL_OUT_OF_RANGE,
        reason(
            () ->
                stub.evaluate(
                    EvaluateRequest.newBuilder()
                        .setModel(twoClasses.getId())
                        .setData(DataSelection.newBuilder().setDataset(nines.getId()))
                        .build())));
    assertEquals(
        Reason.IMAGE_SIZE_MISMATCH,
        reason(
            () ->
                stub.evaluate(
                    builtin()
                        .setData(
                            DataSelection.newBuilder()
                                .setDataset(nines.getId())
                                .setPreprocessing(
                                    DataWire.toProto(
                                        new Preprocessing(
                                            0,
                                            16,
                                            List.of(0.0, 0.0, 0.0),
                                            List.of(1.0, 1.0, 1.0),
                                            Preprocessing.ChannelOrder.RGB))))
                        .build())));
  }

  @Test
  void policiesThatDoNotFitAreRefused() {
    Model model = stub.getModel(GetModelRequest.newBuilder().setId(BUILTIN).build());
    Policy other = uniform(model, 8).toBuilder().setModel("sha256:other").build();
    assertEquals(
        Reason.POLICY_MISMATCH, reason(() -> stub.evaluate(builtin().setPolicy(other).build())));
    assertEquals(
        Reason.INVALID_BITS,
        reason(() -> stub.evaluate(builtin().setPolicy(uniform(model, 9)).build())));
  }

  @Test
  void unknownModelsAndDatasetsAreNotFound() {
    assertEquals(
        Reason.UNKNOWN_MODEL,
        reason(() -> stub.getModel(GetModelRequest.newBuilder().setId("sha256:0").build())));
    assertEquals(
        Reason.UNKNOWN_DATASET,
        reason(
            () ->
                stub.evaluate(
                    builtin().setData(DataSelection.newBuilder().setDataset("sha256:0")).build())));
  }

  private static EvaluateRequest.Builder builtin() {
    return EvaluateRequest.newBuilder()
        .setModel(BUILTIN)
        .setData(
            DataSelection.newBuilder()
                .setDataset(BUILTIN)
                .setSplit(DataSelection.Split.SEARCH)
                .setMaxImages(200));
  }

  private static Policy uniform(Model model, int bits) {
    Policy.Builder policy = Policy.newBuilder();
    for (int k = 0; k < model.getNetwork().getLayersCount(); k++) {
      policy.addLayers(LayerBits.newBuilder().setWeightBits(bits).setActivationBits(bits));
    }
    return policy.build();
  }

  private static byte[] smallModel(int classes) {
    SmallModel model = new SmallModel(3, 32, 32);
    String features = model.pooled(model.relu(model.conv("image", 3, 8, 3, 2, 1)));
    return model.bytes(model.gemm(features, 8, classes));
  }

  private static CompletableFuture<Model> importModel(byte[] bytes) {
    return Uploads.send(
        QuantizerGrpc.newStub(channel)::importModel,
        ImportModelRequest.newBuilder()
            .setHeader(ImportModelRequest.Header.newBuilder().setName("uploaded"))
            .build(),
        chunk -> ImportModelRequest.newBuilder().setChunk(chunk).build(),
        bytes);
  }

  private static CompletableFuture<Dataset> importCifar(int[] labels) {
    byte[] records = new byte[labels.length * RECORD];
    for (int i = 0; i < labels.length; i++) {
      java.util.Arrays.fill(records, i * RECORD, (i + 1) * RECORD, (byte) (40 * i));
      records[i * RECORD] = (byte) labels[i];
    }
    return Uploads.send(
        QuantizerGrpc.newStub(channel)::importDataset,
        ImportDatasetRequest.newBuilder()
            .setHeader(
                ImportDatasetRequest.Header.newBuilder()
                    .setName("uploaded")
                    .setFormat(ImportDatasetRequest.Header.Format.CIFAR10_BINARY))
            .build(),
        chunk -> ImportDatasetRequest.newBuilder().setChunk(chunk).build(),
        records);
  }

  private static Reason reason(CompletableFuture<?> call) {
    CompletionException failure = assertThrows(CompletionException.class, call::join);
    return RpcErrors.translate(failure.getCause()).reason();
  }

  private static Reason reason(Runnable call) {
    return RpcErrors.translate(assertThrows(StatusRuntimeException.class, call::run)).reason();
  }

  private static List<String> files() throws java.io.IOException {
    try (Stream<Path> files = Files.list(folder.resolve("models"))) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }
}
