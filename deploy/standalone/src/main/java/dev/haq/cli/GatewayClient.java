package dev.haq.cli;

import static dev.haq.cli.GatewayHttp.encode;

import dev.haq.model.HaqException;
import dev.haq.model.ImageSize;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.ExtendSessionRequest;
import dev.haq.proto.agent.v1.ListEpisodesResponse;
import dev.haq.proto.agent.v1.ListSessionsResponse;
import dev.haq.proto.agent.v1.PredictFrontRequest;
import dev.haq.proto.agent.v1.PredictedFront;
import dev.haq.proto.agent.v1.Preparation;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.BuildCostTableResponse;
import dev.haq.proto.hwsim.v1.ExplainRequest;
import dev.haq.proto.hwsim.v1.ExplainResponse;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.FindParameterResponse;
import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.ListTargetsResponse;
import dev.haq.proto.hwsim.v1.SimulateRequest;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.hwsim.v1.Target;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.ExportRequest;
import dev.haq.proto.quantizer.v1.ExportResponse;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The gateway's REST interface as Java calls. Every call blocks; every error is a {@link
 * HaqException} with the reason that the service gave.
 */
final class GatewayClient {
  private static final int LONGEST_NAME = 200;

  private final GatewayHttp http;

  /**
   * @param base such as {@code http://localhost:8080}
   */
  GatewayClient(URI base) {
    this(new GatewayHttp(base));
  }

  GatewayClient(GatewayHttp http) {
    this.http = http;
  }

  URI base() {
    return http.base();
  }

  List<Target> targets() {
    List<Target> all = new ArrayList<>();
    String token = "";
    do {
      ListTargetsResponse page =
          http.get("/v1/targets?page_token=" + encode(token), ListTargetsResponse.newBuilder())
              .build();
      all.addAll(page.getTargetsList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  Target target(String name) {
    return http.get("/v1/targets/" + encode(name), Target.newBuilder()).build();
  }

  Target target(GetTargetRequest request) {
    return http.post("/v1/describe-target", request, Target.newBuilder()).build();
  }

  Model model(String id) {
    return http.get("/v1/models/" + encode(id), Model.newBuilder()).build();
  }

  /** Writes a model's ONNX file, which is there completely or not at all. */
  void downloadModel(String id, Path target) {
    http.download("/v1/models/" + encode(id) + "/onnx", target);
  }

  /** The model of this id, or empty when it has to be imported first. */
  Optional<Model> findModel(String id) {
    return known(Reason.UNKNOWN_MODEL, () -> model(id));
  }

  private static <T> Optional<T> known(Reason missing, Supplier<T> call) {
    try {
      return Optional.of(call.get());
    } catch (HaqException e) {
      if (e.reason() == missing) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * @param origin what the user called it, for errors
   */
  Model importModel(Path file, String name, Optional<ImageSize> size, String origin) {
    return naming(
        origin,
        () ->
            http.post(
                    "/v1/models?name="
                        + encode(shortened(name))
                        + size.map(pixels -> "&image_size=" + pixels).orElse(""),
                    GatewayHttp.upload(file),
                    Model.newBuilder())
                .build());
  }

  /** The dataset of this id, or empty when it has to be imported first. */
  Optional<Dataset> findDataset(String id) {
    return known(
        Reason.UNKNOWN_DATASET,
        () -> http.get("/v1/datasets/" + encode(id), Dataset.newBuilder()).build());
  }

  /**
   * @param file in any format of data; the service tells which
   * @param origin what the user called it, for errors
   */
  Dataset importDataset(Path file, String name, String origin) {
    return naming(
        origin,
        () ->
            http.post(
                    "/v1/datasets?name=" + encode(shortened(name)),
                    GatewayHttp.upload(file),
                    Dataset.newBuilder())
                .build());
  }

  /** Files may have longer names than the service keeps. */
  private static String shortened(String name) {
    return name.codePoints()
        .limit(LONGEST_NAME)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  /** The service does not know where a file came from; the user has to. */
  private static <T> T naming(String origin, Supplier<T> upload) {
    try {
      return upload.get();
    } catch (HaqException e) {
      throw new HaqException(e.reason(), origin + ": " + e.getMessage(), e.details(), e);
    }
  }

  SimulateResponse simulate(SimulateRequest request) {
    return http.post("/v1/simulate", request, SimulateResponse.newBuilder()).build();
  }

  ExplainResponse explain(ExplainRequest request) {
    return http.post("/v1/explain", request, ExplainResponse.newBuilder()).build();
  }

  FindParameterResponse findParameter(FindParameterRequest request) {
    return http.post("/v1/find-parameter", request, FindParameterResponse.newBuilder()).build();
  }

  EvaluateResponse evaluate(EvaluateRequest request) {
    return http.post("/v1/evaluate", request, EvaluateResponse.newBuilder()).build();
  }

  /**
   * Measures what each layer does by itself; blocks until all is told.
   *
   * @param listener told each part when it comes
   */
  void sensitivity(
      MeasureSensitivityRequest request, Consumer<MeasureSensitivityResponse> listener) {
    LongWork.sensitivity(http, request, listener);
  }

  /**
   * Predicts a front; blocks until done.
   *
   * @param listener told now and then how far the measuring is
   */
  PredictedFront predictFront(PredictFrontRequest request, Consumer<Preparation> listener) {
    return LongWork.predictFront(http, request, listener);
  }

  /**
   * Fine-tunes; blocks until done.
   *
   * @param listener told now and then how far it is
   */
  FineTuneResult fineTune(FineTuneRequest request, Consumer<FineTuneProgress> listener) {
    return LongWork.fineTune(http, request, listener);
  }

  /**
   * Exports into a file, which is there completely or not at all.
   *
   * @return what the service says of it
   */
  ExportResponse.Header export(ExportRequest request, Path target) {
    HttpHeaders headers = http.download("/v1/export", request, target);
    String said = headers.firstValue("Haq-Export").orElse("{}");
    return Json.parse(said, ExportResponse.Header.newBuilder()).build();
  }

  BuildCostTableResponse costTable(BuildCostTableRequest request) {
    return http.post("/v1/cost-table", request, BuildCostTableResponse.newBuilder()).build();
  }

  Session createSession(CreateSessionRequest request) {
    return http.post("/v1/sessions", request, Session.newBuilder()).build();
  }

  Session session(String id) {
    return http.get("/v1/sessions/" + encode(id), Session.newBuilder()).build();
  }

  /** Newest first. */
  List<Session> sessions() {
    List<Session> all = new ArrayList<>();
    String token = "";
    do {
      ListSessionsResponse page =
          http.get(
                  "/v1/sessions?page_size=100&page_token=" + encode(token),
                  ListSessionsResponse.newBuilder())
              .build();
      all.addAll(page.getSessionsList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  /** Oldest first. */
  List<Episode> episodes(String session) {
    List<Episode> all = new ArrayList<>();
    String token = "";
    do {
      ListEpisodesResponse page =
          http.get(
                  "/v1/sessions/%s/episodes?page_size=100&page_token=%s"
                      .formatted(encode(session), encode(token)),
                  ListEpisodesResponse.newBuilder())
              .build();
      all.addAll(page.getEpisodesList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  /**
   * @param action {@code pause}, {@code resume}, {@code stop} or {@code cancel}
   */
  Session act(String session, String action) {
    return http.post(
            "/v1/sessions/" + encode(session) + ":" + action,
            BodyPublishers.noBody(),
            Session.newBuilder())
        .build();
  }

  Session extend(ExtendSessionRequest request) {
    return http.post(
            "/v1/sessions/" + encode(request.getId()) + ":extend", request, Session.newBuilder())
        .build();
  }

  /**
   * Opens a session's event stream; the caller closes it.
   *
   * @param after episodes up to this number are left out
   */
  Stream<String> events(String session, int after) {
    return http.lines("/v1/sessions/" + encode(session) + "/events?after=" + Math.max(after, 0));
  }

  /** Whether a gateway answers there. */
  boolean isReady() {
    return http.isUp("/healthz");
  }
}
