package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.PredictedFront;
import dev.haq.proto.agent.v1.Preparation;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import java.io.UncheckedIOException;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Work that the gateway tells about while it is done, as server-sent events. */
final class LongWork {
  private LongWork() {}

  /**
   * Measures what each layer does by itself; blocks until all is told.
   *
   * @param listener told each part when it comes
   */
  static void sensitivity(
      GatewayHttp http,
      MeasureSensitivityRequest request,
      Consumer<MeasureSensitivityResponse> listener) {
    int[] left = {1};
    try (Stream<String> lines = http.lines("/v1/sensitivity", request)) {
      SseReader.read(
          lines.iterator(),
          event -> {
            MeasureSensitivityResponse.Builder part = MeasureSensitivityResponse.newBuilder();
            switch (event.type()) {
              case "start" ->
                  left[0] = Json.parse(event.data(), part.getStartBuilder()).getEntries();
              case "entry" -> {
                Json.parse(event.data(), part.getEntryBuilder());
                left[0]--;
              }
              case "error" -> throw http.problem(0, event.data());
              default -> {
                return true; // a newer service may tell more than this command knows
              }
            }
            listener.accept(part.build());
            return true;
          });
    } catch (UncheckedIOException e) {
      throw measurementCutShort(e);
    }
    if (left[0] > 0) {
      throw measurementCutShort(null);
    }
  }

  /**
   * Predicts a front; blocks until done.
   *
   * @param listener told now and then how far the measuring is
   */
  static PredictedFront predictFront(
      GatewayHttp http, PredictFrontRequest request, Consumer<Preparation> listener) {
    PredictedFront.Builder front = PredictedFront.newBuilder();
    try (Stream<String> lines = http.lines("/v1/front", request)) {
      SseReader.read(
          lines.iterator(),
          event -> {
            switch (event.type()) {
              case "preparation" ->
                  listener.accept(Json.parse(event.data(), Preparation.newBuilder()).build());
              case "front" -> Json.parse(event.data(), front);
              case "error" -> throw http.problem(0, event.data());
              default -> {
                return true; // a newer service may tell more than this command knows
              }
            }
            return true;
          });
    } catch (UncheckedIOException e) {
      throw measurementCutShort(e);
    }
    if (front.getPointsCount() == 0) {
      throw measurementCutShort(null);
    }
    return front.build();
  }

  /**
   * Fine-tunes; blocks until done.
   *
   * @param listener told now and then how far it is
   */
  static FineTuneResult fineTune(
      GatewayHttp http, FineTuneRequest request, Consumer<FineTuneProgress> listener) {
    FineTuneResult.Builder result = FineTuneResult.newBuilder();
    try (Stream<String> lines = http.lines("/v1/fine-tune", request)) {
      SseReader.read(
          lines.iterator(),
          event -> {
            switch (event.type()) {
              case "progress" ->
                  listener.accept(Json.parse(event.data(), FineTuneProgress.newBuilder()).build());
              case "result" -> Json.parse(event.data(), result);
              case "error" -> throw http.problem(0, event.data());
              default -> {
                return true; // a newer service may tell more than this command knows
              }
            }
            return true;
          });
    } catch (UncheckedIOException e) {
      throw trainingCutShort(e);
    }
    if (!result.hasModel()) {
      throw trainingCutShort(null);
    }
    return result.build();
  }

  private static HaqException trainingCutShort(UncheckedIOException cause) {
    return new HaqException(
        Reason.UNAVAILABLE,
        "fine-tuning was cut short: give the same command again, it goes on from its last epoch",
        cause);
  }

  private static HaqException measurementCutShort(UncheckedIOException cause) {
    return new HaqException(
        Reason.UNAVAILABLE,
        "the measurement was cut short: give the same command again, what was measured is kept",
        cause);
  }
}
