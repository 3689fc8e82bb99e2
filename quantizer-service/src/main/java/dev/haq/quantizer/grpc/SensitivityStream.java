package dev.haq.quantizer.grpc;

import dev.haq.model.Accuracy;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.quantizer.eval.LayerSensitivity;
import dev.haq.quantizer.eval.Sensitivity;
import dev.haq.quantizer.eval.SensitivityStore;
import dev.haq.rpc.ResponseStream;
import dev.haq.wire.DataWire;

/** Tells the other end of a stream what was measured. */
final class SensitivityStream implements Sensitivity.Listener {
  private final ResponseStream<MeasureSensitivityResponse> out;

  SensitivityStream(ResponseStream<MeasureSensitivityResponse> out) {
    this.out = out;
  }

  @Override
  public void start(Accuracy baseline, int entries) {
    out.send(
        MeasureSensitivityResponse.newBuilder()
            .setStart(
                MeasureSensitivityResponse.Start.newBuilder()
                    .setBaseline(DataWire.toProto(baseline))
                    .setEntries(entries))
            .build());
  }

  @Override
  public void entry(LayerSensitivity entry, int done, double secondsLeft, boolean cached) {
    out.send(
        MeasureSensitivityResponse.newBuilder()
            .setEntry(
                SensitivityStore.toProto(entry).toBuilder()
                    .setDone(done)
                    .setSecondsLeft(secondsLeft)
                    .setCached(cached))
            .build());
  }
}
