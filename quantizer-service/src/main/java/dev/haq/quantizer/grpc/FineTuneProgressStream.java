package dev.haq.quantizer.grpc;

import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.quantizer.eval.FineTuner;
import dev.haq.rpc.ResponseStream;

/**
 * Sends progress a few times a second: the first and the last step always, others when some time
 * has passed and the receiver keeps up.
 */
final class FineTuneProgressStream implements FineTuner.Listener {
  private static final long INTERVAL_NANOS = 200_000_000;

  private final ResponseStream<FineTuneResponse> out;
  private long sent = System.nanoTime() - INTERVAL_NANOS;

  FineTuneProgressStream(ResponseStream<FineTuneResponse> out) {
    this.out = out;
  }

  @Override
  public void step(FineTuner.Progress progress) {
    long now = System.nanoTime();
    boolean last = progress.step() == progress.steps();
    if (!last && (now - sent < INTERVAL_NANOS || out.isFull())) {
      return;
    }
    sent = now;
    out.send(
        FineTuneResponse.newBuilder()
            .setProgress(
                FineTuneProgress.newBuilder()
                    .setEpoch(progress.epoch())
                    .setEpochs(progress.epochs())
                    .setStep(progress.step())
                    .setSteps(progress.steps())
                    .setLoss(progress.loss())
                    .setImagesPerSecond(progress.imagesPerSecond())
                    .setSecondsLeft(progress.secondsLeft()))
            .build());
  }
}
