package dev.haq.cli;

import com.google.protobuf.Message;
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
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Work that the gateway tells about while it is done, as server-sent events. */
final class LongWork {
  private static final String MEASUREMENT_CUT_SHORT =
      "the measurement was cut short: give the same command again, what was measured is kept";

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
    read(
        http,
        "/v1/sensitivity",
        request,
        MEASUREMENT_CUT_SHORT,
        Map.of(
            "start",
            data -> {
              var part = MeasureSensitivityResponse.newBuilder();
              left[0] = Json.parse(data, part.getStartBuilder()).getEntries();
              listener.accept(part.build());
            },
            "entry",
            data -> {
              var part = MeasureSensitivityResponse.newBuilder();
              Json.parse(data, part.getEntryBuilder());
              left[0]--;
              listener.accept(part.build());
            }),
        () -> left[0] <= 0);
  }

  /**
   * Predicts a front; blocks until done.
   *
   * @param listener told now and then how far the measuring is
   */
  static PredictedFront predictFront(
      GatewayHttp http, PredictFrontRequest request, Consumer<Preparation> listener) {
    PredictedFront.Builder front = PredictedFront.newBuilder();
    read(
        http,
        "/v1/front",
        request,
        MEASUREMENT_CUT_SHORT,
        Map.of(
            "preparation",
            data -> listener.accept(Json.parse(data, Preparation.newBuilder()).build()),
            "front",
            data -> Json.parse(data, front)),
        () -> front.getPointsCount() > 0);
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
    read(
        http,
        "/v1/fine-tune",
        request,
        "fine-tuning was cut short: give the same command again, it goes on from its last epoch",
        Map.of(
            "progress",
            data -> listener.accept(Json.parse(data, FineTuneProgress.newBuilder()).build()),
            "result",
            data -> Json.parse(data, result)),
        result::hasModel);
    return result.build();
  }

  /**
   * Reads the events of one piece of work to their end.
   *
   * @param cutShort what to say when they end before all is told
   * @param handlers what to do with the data of an event, by its type; a newer service may tell
   *     more than this command knows
   * @param complete whether all is told
   */
  private static void read(
      GatewayHttp http,
      String path,
      Message request,
      String cutShort,
      Map<String, Consumer<String>> handlers,
      BooleanSupplier complete) {
    try (Stream<String> lines = http.lines(path, request)) {
      SseReader.read(
          lines.iterator(),
          event -> {
            if (event.type().equals("error")) {
              throw http.problem(0, event.data());
            }
            handlers.getOrDefault(event.type(), unknown -> {}).accept(event.data());
            return true;
          });
    } catch (UncheckedIOException e) {
      throw new HaqException(Reason.UNAVAILABLE, cutShort, e);
    }
    if (!complete.getAsBoolean()) {
      throw new HaqException(Reason.UNAVAILABLE, cutShort);
    }
  }
}
