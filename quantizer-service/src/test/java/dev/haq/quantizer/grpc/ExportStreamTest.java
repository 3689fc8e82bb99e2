package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.importing.SmallModel;
import io.grpc.Context;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.Iterator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Export over a real connection. */
final class ExportStreamTest {
  @TempDir static Path folder;
  private static RunningQuantizer quantizer;

  @BeforeAll
  static void start() {
    quantizer = new RunningQuantizer(folder);
  }

  @AfterAll
  static void stop() {
    quantizer.close();
  }

  /** The policy's file has some 4 MB as QONNX, more than fits on the way. */
  private static ExportRequest large(ExportRequest.Format format) {
    SmallModel model = new SmallModel(3, 32, 32);
    String features = model.relu(model.conv("image", 3, 1024, 3, 4, 1));
    String wide = model.relu(model.conv(features, 1024, 1024, 1, 2, 1));
    Model known = quantizer.importModel(model.bytes(model.gemm(model.pooled(wide), 1024, 10)));
    Policy.Builder policy = Policy.newBuilder();
    for (int k = 0; k < known.getNetwork().getLayersCount(); k++) {
      policy.addLayers(LayerBits.newBuilder().setWeightBits(6).setActivationBits(8));
    }
    return ExportRequest.newBuilder()
        .setModel(known.getId())
        .setPolicy(policy)
        .setFormat(format)
        .setData(DataSelection.newBuilder().setDataset(BuiltinShapes.ID).setMaxImages(8))
        .build();
  }

  @Test
  void theChunksMakeTheFileThatTheHeaderAnnounces() {
    Iterator<ExportResponse> parts = quantizer.stub().export(large(ExportRequest.Format.QONNX));
    ExportResponse.Header header = parts.next().getHeader();
    assertEquals("uploaded.qonnx.onnx", header.getFileName());
    assertEquals("application/octet-stream", header.getMediaType());
    assertEquals(8, header.getFileAccuracy().getImages());
    ByteString content = ByteString.EMPTY;
    while (parts.hasNext()) {
      content = content.concat(parts.next().getChunk());
    }
    assertEquals(header.getSizeBytes(), content.size());
    assertTrue(content.size() > 4_000_000);
  }

  @Test
  void aCallerThatLeavesInTheMiddleLeavesNothingBehind() {
    ExportRequest request = large(ExportRequest.Format.QONNX);
    for (int i = 0; i < 4; i++) {
      Context.CancellableContext context = Context.current().withCancellation();
      context.run(
          () -> {
            Iterator<ExportResponse> parts = quantizer.stub().export(request);
            assertTrue(parts.next().hasHeader());
            assertTrue(parts.next().hasChunk());
            context.cancel(null);
          });
    }
    // More calls than may run at once: none holds its place.
    Iterator<ExportResponse> parts =
        quantizer
            .stub()
            .export(request.toBuilder().setFormat(ExportRequest.Format.ONNX_QCDQ).build());
    assertTrue(parts.next().hasHeader());
    while (parts.hasNext()) {
      assertTrue(parts.next().hasChunk());
    }
  }

  @Test
  void whatCannotBeExportedIsRefusedByName() {
    ExportRequest.Builder request =
        ExportRequest.newBuilder()
            .setModel(BuiltinShapes.ID)
            .setData(DataSelection.newBuilder().setDataset(BuiltinShapes.ID).setMaxImages(8));
    refused(Status.Code.INVALID_ARGUMENT, Reason.INVALID_ARGUMENT, request);
    request.setFormat(ExportRequest.Format.AIMET).setPowerOfTwoScales(true);
    refused(Status.Code.INVALID_ARGUMENT, Reason.INVALID_ARGUMENT, request);
    request.setPowerOfTwoScales(false).clearData();
    refused(Status.Code.INVALID_ARGUMENT, Reason.INVALID_ARGUMENT, request);
    request.setModel("sha256:nothing");
    refused(Status.Code.NOT_FOUND, Reason.UNKNOWN_MODEL, request);
  }

  private static void refused(Status.Code code, Reason reason, ExportRequest.Builder request) {
    RunningQuantizer.refused(
        code, reason, () -> quantizer.stub().export(request.build()).hasNext());
  }
}
