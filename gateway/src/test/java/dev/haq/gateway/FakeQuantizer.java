package dev.haq.gateway;

import com.google.protobuf.ByteString;
import com.google.protobuf.Empty;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.Accuracy;
import dev.haq.proto.model.v1.Operand;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.DownloadModelRequest;
import dev.haq.proto.quantizer.v1.DownloadModelResponse;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.proto.quantizer.v1.ImportDatasetRequest;
import dev.haq.proto.quantizer.v1.ImportModelRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsResponse;
import dev.haq.proto.quantizer.v1.ListModelsResponse;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpcService;
import dev.haq.proto.quantizer.v1.SensitivityEntry;
import dev.haq.rpc.Call;
import dev.haq.rpc.ClientStream;
import dev.haq.rpc.ResponseStream;
import dev.haq.rpc.RpcService;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A quantizer that keeps the digest of what is uploaded, and evaluates only when it is let. */
final class FakeQuantizer {
  /** The dataset header that came last. */
  volatile ImportDatasetRequest.Header datasetHeader;

  /** Sizes of the chunks of the model upload under way. */
  final List<Integer> chunks = new CopyOnWriteArrayList<>();

  /** An upload that was broken off. */
  volatile CountDownLatch dropped = new CountDownLatch(1);

  /** The first chunk of an upload has come. */
  volatile CountDownLatch begun = new CountDownLatch(1);

  /** Chunks are taken once this is open. */
  volatile CountDownLatch gate = new CountDownLatch(0);

  static final int EXPORT_CHUNK = 65536;

  /** The export that was asked for last. */
  volatile ExportRequest exportRequest;

  /** Chunks sent of it. */
  final AtomicInteger exported = new AtomicInteger();

  /** Ids of what was deleted. */
  final List<String> deleted = new CopyOnWriteArrayList<>();

  /** An evaluation is under way. */
  final CountDownLatch evaluating = new CountDownLatch(1);

  /** Evaluations that wait. */
  final AtomicInteger slow = new AtomicInteger();

  /** An evaluation was given up by its caller. */
  volatile CountDownLatch abandoned = new CountDownLatch(1);

  RpcService service() {
    return RpcService.named(
            QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
        .clientStream(QuantizerGrpcService.ImportModel, call -> new ModelUpload())
        .clientStream(QuantizerGrpcService.ImportDataset, call -> new DatasetUpload())
        .unary(
            QuantizerGrpcService.ListModels,
            (request, call) ->
                ListModelsResponse.newBuilder().addModels(model("builtin:shapes")).build())
        .unary(QuantizerGrpcService.GetModel, (request, call) -> model(request.getId()))
        .unary(QuantizerGrpcService.DeleteModel, (request, call) -> delete(request.getId()))
        .unary(
            QuantizerGrpcService.GetDataset,
            (request, call) -> Dataset.newBuilder().setId(request.getId()).build())
        .unary(QuantizerGrpcService.DeleteDataset, (request, call) -> delete(request.getId()))
        .unary(
            QuantizerGrpcService.ListDatasets,
            (request, call) ->
                ListDatasetsResponse.newBuilder()
                    .addDatasets(Dataset.newBuilder().setId("builtin:shapes"))
                    .setNextPageToken(request.getPageToken() + "+" + request.getPageSize())
                    .build())
        .unary(QuantizerGrpcService.Evaluate, this::evaluate)
        .serverStream(QuantizerGrpcService.MeasureSensitivity, this::measureSensitivity)
        .serverStream(QuantizerGrpcService.Export, this::export)
        .serverStream(QuantizerGrpcService.FineTune, this::fineTune)
        .serverStream(QuantizerGrpcService.DownloadModel, FakeQuantizer::downloadModel);
  }

  /** One step and the result; of the model "endless" the step alone, until nobody listens. */
  private void fineTune(FineTuneRequest request, ResponseStream<FineTuneResponse> out) {
    out.onCancel(abandoned::countDown);
    out.send(
        FineTuneResponse.newBuilder()
            .setProgress(FineTuneProgress.newBuilder().setEpoch(1).setLoss(0.5))
            .build());
    if (request.getModel().equals("endless")) {
      await(abandoned);
    }
    out.send(
        FineTuneResponse.newBuilder()
            .setResult(FineTuneResult.newBuilder().setModel(Model.newBuilder().setId("tuned")))
            .build());
    out.end();
  }

  private static void downloadModel(
      DownloadModelRequest request, ResponseStream<DownloadModelResponse> out) {
    model(request.getId());
    for (String part : List.of("on", "nx")) {
      out.send(
          DownloadModelResponse.newBuilder()
              .setSizeBytes(4)
              .setChunk(ByteString.copyFromUtf8(part))
              .build());
    }
    out.end();
  }

  private static Model model(String id) {
    if (id.startsWith("sha256:")) {
      throw new HaqException(Reason.UNKNOWN_MODEL, "there is no model " + id + ": import it first");
    }
    return Model.newBuilder().setId(id).build();
  }

  private Empty delete(String id) {
    if (!id.startsWith("sha256:")) {
      throw HaqException.invalid("'%s' is built in", id);
    }
    deleted.add(id);
    return Empty.getDefaultInstance();
  }

  private EvaluateResponse evaluate(EvaluateRequest request, Call call) {
    CountDownLatch left = abandoned;
    call.onCancel(left::countDown);
    evaluating.countDown();
    if (request.getModel().equals("slow")) {
      slow.incrementAndGet();
      await(left);
    }
    return EvaluateResponse.newBuilder()
        .setAccuracy(Accuracy.newBuilder().setImages(1000).setTop1Correct(915).setTop1(91.5))
        .build();
  }

  /** Two entries; of the model "cut" one, and of the model "endless" as many as are heard. */
  private void measureSensitivity(
      MeasureSensitivityRequest request, ResponseStream<MeasureSensitivityResponse> out) {
    if (request.getModel().startsWith("sha256:")) {
      throw new HaqException(Reason.UNKNOWN_MODEL, "there is no such model: import it first");
    }
    out.onCancel(abandoned::countDown);
    out.send(
        MeasureSensitivityResponse.newBuilder()
            .setStart(MeasureSensitivityResponse.Start.newBuilder().setEntries(2))
            .build());
    out.send(entry(1, request.getWeightBits().getBits(0)));
    if (request.getModel().equals("cut")) {
      throw new HaqException(Reason.BUSY, "32 evaluations wait already");
    }
    if (request.getModel().equals("endless")) {
      await(abandoned);
    }
    out.send(entry(2, request.getWeightBits().getBits(1)));
    out.end();
  }

  private static MeasureSensitivityResponse entry(int done, int bits) {
    return MeasureSensitivityResponse.newBuilder()
        .setEntry(
            SensitivityEntry.newBuilder()
                .setLayer("conv")
                .setOperand(Operand.WEIGHTS)
                .setBits(bits)
                .setDone(done)
                .setSecondsLeft(2 - done))
        .build();
  }

  /** Sends chunks of {@link #EXPORT_CHUNK} bytes while the receiver takes them. */
  private void export(ExportRequest request, ResponseStream<ExportResponse> out) {
    exportRequest = request;
    if (request.getModel().equals("differs")) {
      throw new HaqException(Reason.EXPORT_DIFFERS, "the file scores otherwise");
    }
    boolean breaksOff = request.getModel().equals("breaks");
    int chunks = request.getModel().equals("large") ? 4096 : 3;
    CountDownLatch left = abandoned;
    out.onCancel(left::countDown);
    out.send(
        ExportResponse.newBuilder()
            .setHeader(
                ExportResponse.Header.newBuilder()
                    .setFileName("net.qcdq.onnx")
                    .setMediaType("application/octet-stream")
                    .setSizeBytes((long) chunks * EXPORT_CHUNK)
                    .addNotes("caf\u00e9"))
            .build());
    Object lock = new Object();
    Runnable more =
        () -> {
          synchronized (lock) {
            while (!out.isFull() && exported.get() < chunks) {
              if (breaksOff && exported.get() == 1) {
                out.fail(new HaqException(Reason.INTERNAL, "the disk is gone"));
                return;
              }
              byte[] bytes = new byte[EXPORT_CHUNK];
              bytes[0] = (byte) exported.get();
              out.send(
                  ExportResponse.newBuilder()
                      .setChunk(com.google.protobuf.ByteString.copyFrom(bytes))
                      .build());
              if (exported.incrementAndGet() == chunks) {
                out.end();
              }
            }
          }
        };
    exported.set(0);
    out.onDrain(more);
    more.run();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private final class ModelUpload implements ClientStream<ImportModelRequest, Model> {
    private final MessageDigest digest = sha256();
    private String name;
    private long size;

    ModelUpload() {
      chunks.clear();
    }

    @Override
    public void next(ImportModelRequest message) {
      if (message.hasHeader()) {
        name = message.getHeader().getName();
        return;
      }
      begun.countDown();
      await(gate);
      if (message.getChunk().startsWith(com.google.protobuf.ByteString.copyFromUtf8("text"))) {
        throw new HaqException(Reason.INVALID_MODEL, "this is not an ONNX file");
      }
      chunks.add(message.getChunk().size());
      size += message.getChunk().size();
      digest.update(message.getChunk().asReadOnlyByteBuffer());
    }

    @Override
    public Model end() {
      return Model.newBuilder()
          .setId("sha256:" + HexFormat.of().formatHex(digest.digest()))
          .setName(name)
          .setSizeBytes(size)
          .build();
    }

    @Override
    public void cancelled() {
      dropped.countDown();
    }
  }

  private final class DatasetUpload implements ClientStream<ImportDatasetRequest, Dataset> {
    private long size;

    @Override
    public void next(ImportDatasetRequest message) {
      if (message.hasHeader()) {
        datasetHeader = message.getHeader();
      }
      size += message.getChunk().size();
    }

    @Override
    public Dataset end() {
      return Dataset.newBuilder()
          .setId("sha256:1")
          .setName(datasetHeader.getName())
          .setSizeBytes(size)
          .build();
    }

    @Override
    public void cancelled() {
      dropped.countDown();
    }
  }
}
