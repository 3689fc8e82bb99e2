package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.ImportDatasetRequest;
import dev.haq.proto.quantizer.v1.ImportModelRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.quantizer.QuantizerService;
import dev.haq.quantizer.QuantizerSettings;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.rpc.RpcErrors;
import dev.haq.rpc.ServiceRuntime;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.junit.jupiter.api.function.Executable;

/** A quantizer on a port of its own, and a gRPC client of it. */
final class RunningQuantizer implements AutoCloseable {
  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final QuantizerService service;
  private final ManagedChannel channel;

  RunningQuantizer(Path dataDir) {
    service =
        QuantizerService.start(
            runtime, QuantizerSettings.defaults().withAddress("127.0.0.1", 0).withDataDir(dataDir));
    channel = connect();
  }

  /** Another connection than that of {@link #stub}, to be closed by the caller. */
  ManagedChannel connect() {
    return ManagedChannelBuilder.forAddress("127.0.0.1", service.port()).usePlaintext().build();
  }

  QuantizerGrpc.QuantizerBlockingStub stub() {
    return QuantizerGrpc.newBlockingStub(channel);
  }

  Model importModel(byte[] bytes) {
    return importModel("uploaded", bytes);
  }

  Model importModel(String name, byte[] bytes) {
    return importModel(
        Uploads.messages(
            ImportModelRequest.newBuilder()
                .setHeader(ImportModelRequest.Header.newBuilder().setName(name))
                .build(),
            chunk -> ImportModelRequest.newBuilder().setChunk(chunk).build(),
            bytes));
  }

  Model importModel(List<ImportModelRequest> messages) {
    return upload(QuantizerGrpc.newStub(channel)::importModel, messages);
  }

  Dataset importDataset(byte[] bytes) {
    return importDataset(
        Uploads.messages(
            ImportDatasetRequest.newBuilder()
                .setHeader(ImportDatasetRequest.Header.newBuilder().setName("uploaded"))
                .build(),
            chunk -> ImportDatasetRequest.newBuilder().setChunk(chunk).build(),
            bytes));
  }

  Dataset importDataset(List<ImportDatasetRequest> messages) {
    return upload(QuantizerGrpc.newStub(channel)::importDataset, messages);
  }

  private static <Q, R> R upload(
      Function<StreamObserver<R>, StreamObserver<Q>> call, List<Q> messages) {
    try {
      return Uploads.send(call, messages).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof StatusRuntimeException status) {
        throw status;
      }
      throw e;
    }
  }

  /** Makes a call that must fail; its reason is the one of the ErrorInfo. */
  static HaqException refused(Status.Code code, Reason reason, Executable call) {
    StatusRuntimeException failure = assertThrows(StatusRuntimeException.class, call);
    HaqException error = RpcErrors.translate(failure);
    assertEquals(reason, error.reason(), error.getMessage());
    assertEquals(code, failure.getStatus().getCode(), error.getMessage());
    assertEquals(1, error.getMessage().lines().count(), error.getMessage());
    return error;
  }

  /** Two layers on 32x32 colour images. */
  static byte[] smallModel(int classes) {
    SmallModel model = new SmallModel(3, 32, 32);
    String features = model.pooled(model.relu(model.conv("image", 3, 8, 3, 2, 1)));
    return model.bytes(model.gemm(features, 8, classes));
  }

  @Override
  public void close() {
    channel.shutdownNow();
    service.close();
    runtime.close();
  }
}
