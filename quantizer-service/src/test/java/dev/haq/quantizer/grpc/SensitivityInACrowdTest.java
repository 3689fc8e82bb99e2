package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.quantizer.builtin.BuiltinShapes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
final class SensitivityInACrowdTest {
  @TempDir private Path folder;

  @Test
  void aMeasurementThatHasBegunEndsHoweverManyEvaluationsWait() throws InterruptedException {
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      Iterator<MeasureSensitivityResponse> parts =
          quantizer
              .stub()
              .measureSensitivity(
                  MeasureSensitivityRequest.newBuilder()
                      .setModel(BuiltinShapes.ID)
                      .setData(data(200))
                      .setWeightBits(BitChoices.newBuilder().addBits(2).addBits(4))
                      .setActivationBits(BitChoices.newBuilder().addBits(4))
                      .build());
      int entries = parts.next().getStart().getEntries();
      EvaluateRequest evaluation =
          EvaluateRequest.newBuilder().setModel(BuiltinShapes.ID).setData(data(32)).build();
      List<MeasureSensitivityResponse> measured = new ArrayList<>();
      try (Flood flood = new Flood(quantizer, evaluation)) {
        parts.forEachRemaining(measured::add);
        flood.awaitAnother();
      }
      assertEquals(entries, measured.size());
    }
  }

  private static DataSelection data(int images) {
    return DataSelection.newBuilder()
        .setDataset(BuiltinShapes.ID)
        .setSplit(DataSelection.Split.SEARCH)
        .setMaxImages(images)
        .build();
  }
}
