package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.DeleteModelRequest;
import dev.haq.proto.quantizer.v1.DownloadModelRequest;
import dev.haq.proto.quantizer.v1.DownloadModelResponse;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.rpc.RpcErrors;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Readers that ask for a file and read nothing of it. */
@Timeout(120)
final class SlowReadersTest {
  /** Of 4 MB, more than fits on the way. */
  private static final byte[] LARGE = large();

  @TempDir private Path folder;
  private RunningQuantizer quantizer;
  private final List<ManagedChannel> connections = new ArrayList<>();

  private static byte[] large() {
    SmallModel model = new SmallModel(3, 32, 32);
    String features = model.relu(model.conv("image", 3, 1024, 3, 4, 1));
    String wide = model.relu(model.conv(features, 1024, 1024, 1, 2, 1));
    return model.bytes(model.gemm(model.pooled(wide), 1024, 10));
  }

  /** Has begun to get something, and reads none of it until it is told. */
  private final class Reader<Q, R> extends ClientCall.Listener<R> {
    final CompletableFuture<Status> end = new CompletableFuture<>();
    final CompletableFuture<Void> headed = new CompletableFuture<>();
    final List<R> read = new ArrayList<>();
    final ClientCall<Q, R> call;
    volatile Metadata trailers;

    Reader(MethodDescriptor<Q, R> method, Q request) {
      ManagedChannel connection = quantizer.connect();
      connections.add(connection);
      call = connection.newCall(method, CallOptions.DEFAULT);
      call.start(this, new Metadata());
      call.sendMessage(request);
      call.halfClose();
    }

    @Override
    public void onHeaders(Metadata headers) {
      headed.complete(null);
    }

    @Override
    public void onMessage(R message) {
      read.add(message);
    }

    @Override
    public void onClose(Status status, Metadata with) {
      trailers = with;
      end.complete(status);
      headed.complete(null);
    }

    List<R> readAll() throws Exception {
      call.request(Integer.MAX_VALUE);
      assertEquals(Status.Code.OK, end.get().getCode());
      return read;
    }
  }

  @BeforeEach
  void start() {
    quantizer = new RunningQuantizer(folder);
  }

  @AfterEach
  void stop() {
    connections.forEach(ManagedChannel::shutdownNow);
    quantizer.close();
  }

  private Reader<DownloadModelRequest, DownloadModelResponse> download(Model model) {
    return new Reader<>(
        QuantizerGrpc.getDownloadModelMethod(),
        DownloadModelRequest.newBuilder().setId(model.getId()).build());
  }

  @Test
  void noneHoldsAThreadAndOneTooManyIsToldToComeAgain() throws Exception {
    Model model = quantizer.importModel(LARGE);
    List<Reader<DownloadModelRequest, DownloadModelResponse>> readers = new ArrayList<>();
    for (int i = 0; i < SentFiles.MOST_AT_ONCE; i++) {
      readers.add(download(model));
    }
    for (Reader<DownloadModelRequest, DownloadModelResponse> reader : readers) {
      reader.headed.get();
    }
    Reader<DownloadModelRequest, DownloadModelResponse> more = download(model);
    Status refused = more.end.get();
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, refused.getCode());
    assertEquals(
        Reason.BUSY, RpcErrors.translate(refused.asRuntimeException(more.trailers)).reason());
    assertEquals(
        model,
        quantizer
            .stub()
            .withDeadlineAfter(20, TimeUnit.SECONDS)
            .getModel(GetModelRequest.newBuilder().setId(model.getId()).build()));
    // What is sent already is sent to its end, whoever deletes it.
    quantizer.stub().deleteModel(DeleteModelRequest.newBuilder().setId(model.getId()).build());
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    for (DownloadModelResponse part : readers.get(0).readAll()) {
      part.getChunk().writeTo(file);
    }
    assertEquals(ByteString.copyFrom(LARGE), ByteString.copyFrom(file.toByteArray()));
    // Its place is free again, and so are those of readers that leave.
    readers.subList(1, readers.size()).forEach(reader -> reader.call.cancel("it left", null));
    Model again = quantizer.importModel(LARGE);
    assertEquals(LARGE.length, bytes(placed(again).readAll()));
  }

  /** Comes again until there is a place. */
  private Reader<DownloadModelRequest, DownloadModelResponse> placed(Model model) throws Exception {
    while (true) {
      Reader<DownloadModelRequest, DownloadModelResponse> reader = download(model);
      reader.headed.get();
      if (!reader.end.isDone()) {
        return reader;
      }
    }
  }

  private static long bytes(List<DownloadModelResponse> parts) {
    return parts.stream().mapToLong(part -> part.getChunk().size()).sum();
  }

  @Test
  void moreFilesThanMayBeMadeAtOnceWaitForTheirReaders() throws Exception {
    Model model = quantizer.importModel(LARGE);
    LayerBits six = LayerBits.newBuilder().setWeightBits(6).setActivationBits(8).build();
    ExportRequest request =
        ExportRequest.newBuilder()
            .setModel(model.getId())
            .setPolicy(Policy.newBuilder().addLayers(six).addLayers(six).addLayers(six))
            .setFormat(ExportRequest.Format.QONNX)
            .setData(DataSelection.newBuilder().setDataset(BuiltinShapes.ID).setMaxImages(8))
            .build();
    List<Reader<ExportRequest, ExportResponse>> readers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      readers.add(new Reader<>(QuantizerGrpc.getExportMethod(), request));
    }
    for (Reader<ExportRequest, ExportResponse> reader : readers) {
      reader.headed.get();
    }
    for (Reader<ExportRequest, ExportResponse> reader : readers) {
      List<ExportResponse> parts = reader.readAll();
      assertEquals(
          parts.get(0).getHeader().getSizeBytes(),
          parts.stream().mapToLong(part -> part.getChunk().size()).sum());
    }
  }
}
