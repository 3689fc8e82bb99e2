package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.Message;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.ListEpisodesResponse;
import dev.haq.proto.agent.v1.ListSessionsResponse;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.hwsim.v1.BuildCostTableRequest;
import dev.haq.proto.hwsim.v1.BuildCostTableResponse;
import dev.haq.proto.hwsim.v1.ExplainRequest;
import dev.haq.proto.hwsim.v1.ExplainResponse;
import dev.haq.proto.hwsim.v1.FindParameterRequest;
import dev.haq.proto.hwsim.v1.FindParameterResponse;
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
import dev.haq.proto.quantizer.v1.ListDatasetsResponse;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The gateway's REST interface as Java calls. Every call blocks; every error is a {@link
 * HaqException} with the reason that the service gave.
 */
final class GatewayClient {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  /** Longer than any evaluation a person would wait for: the first one also calibrates. */
  private static final Duration CALL_TIMEOUT = Duration.ofMinutes(60);

  private final URI base;
  private final HttpClient http;

  /**
   * @param base such as {@code http://localhost:8080}
   */
  GatewayClient(URI base) {
    String text = base.toString();
    this.base = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
  }

  URI base() {
    return base;
  }

  List<Target> targets() {
    List<Target> all = new ArrayList<>();
    String token = "";
    do {
      ListTargetsResponse page =
          get("/v1/targets?page_token=" + encode(token), ListTargetsResponse.newBuilder()).build();
      all.addAll(page.getTargetsList());
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return all;
  }

  Target target(String name) {
    return get("/v1/targets/" + encode(name), Target.newBuilder()).build();
  }

  Model model(String id) {
    return get("/v1/models/" + encode(id), Model.newBuilder()).build();
  }

  /** Writes a model's ONNX file, which is there completely or not at all. */
  void downloadModel(String id, Path target) {
    HttpRequest request =
        HttpRequest.newBuilder(uri("/v1/models/" + encode(id) + "/onnx"))
            .timeout(CALL_TIMEOUT)
            .GET()
            .build();
    HttpResponse<InputStream> response = exchange(request, BodyHandlers.ofInputStream());
    try (InputStream body = response.body()) {
      if (response.statusCode() != 200) {
        throw problem(
            response.statusCode(), new String(body.readAllBytes(), StandardCharsets.UTF_8));
      }
      Download.save(body, target);
    } catch (IOException e) {
      throw new HaqException(
          Reason.UNAVAILABLE, "the download broke off: " + e.getMessage() + "; try again", e);
    }
  }

  /** The model of this id, or empty when it has to be imported first. */
  Optional<Model> findModel(String id) {
    try {
      return Optional.of(model(id));
    } catch (HaqException e) {
      if (e.reason() == Reason.UNKNOWN_MODEL) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * @param origin what the user called it, for errors
   */
  Model importModel(Path file, String name, String origin) {
    return naming(
        origin,
        () -> post("/v1/models?name=" + encode(name), upload(file), Model.newBuilder()).build());
  }

  /** The dataset of this id, or empty when it has to be imported first. */
  Optional<Dataset> findDataset(String id) {
    String token = "";
    do {
      ListDatasetsResponse page =
          get(
                  "/v1/datasets?page_size=1000&page_token=" + encode(token),
                  ListDatasetsResponse.newBuilder())
              .build();
      for (Dataset dataset : page.getDatasetsList()) {
        if (dataset.getId().equals(id)) {
          return Optional.of(dataset);
        }
      }
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    return Optional.empty();
  }

  /**
   * @param file in any format of data; the service tells which
   * @param origin what the user called it, for errors
   */
  Dataset importDataset(Path file, String name, String origin) {
    return naming(
        origin,
        () ->
            post("/v1/datasets?name=" + encode(name), upload(file), Dataset.newBuilder()).build());
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
    return post("/v1/simulate", request, SimulateResponse.newBuilder()).build();
  }

  ExplainResponse explain(ExplainRequest request) {
    return post("/v1/explain", request, ExplainResponse.newBuilder()).build();
  }

  FindParameterResponse findParameter(FindParameterRequest request) {
    return post("/v1/find-parameter", request, FindParameterResponse.newBuilder()).build();
  }

  EvaluateResponse evaluate(EvaluateRequest request) {
    return post("/v1/evaluate", request, EvaluateResponse.newBuilder()).build();
  }

  /**
   * Measures what each layer does by itself; blocks until all is told.
   *
   * @param listener told each part when it comes
   */
  void sensitivity(
      MeasureSensitivityRequest request, Consumer<MeasureSensitivityResponse> listener) {
    HttpRequest post =
        HttpRequest.newBuilder(uri("/v1/sensitivity"))
            .header("Content-Type", "application/json")
            .header("Accept", "text/event-stream")
            .POST(BodyPublishers.ofString(Json.print(request)))
            .build();
    int[] left = {1};
    try (Stream<String> lines = lines(post)) {
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
              case "error" -> throw problem(0, event.data());
              default -> {
                return true; // a newer service may tell more than this command knows
              }
            }
            listener.accept(part.build());
            return true;
          });
    } catch (UncheckedIOException e) {
      throw cutShort(e);
    }
    if (left[0] > 0) {
      throw cutShort(null);
    }
  }

  /**
   * Fine-tunes; blocks until done.
   *
   * @param listener told now and then how far it is
   */
  FineTuneResult fineTune(FineTuneRequest request, Consumer<FineTuneProgress> listener) {
    HttpRequest post =
        HttpRequest.newBuilder(uri("/v1/fine-tune"))
            .header("Content-Type", "application/json")
            .header("Accept", "text/event-stream")
            .POST(BodyPublishers.ofString(Json.print(request)))
            .build();
    FineTuneResult.Builder result = FineTuneResult.newBuilder();
    try (Stream<String> lines = lines(post)) {
      SseReader.read(
          lines.iterator(),
          event -> {
            switch (event.type()) {
              case "progress" ->
                  listener.accept(Json.parse(event.data(), FineTuneProgress.newBuilder()).build());
              case "result" -> Json.parse(event.data(), result);
              case "error" -> throw problem(0, event.data());
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

  private static HaqException cutShort(UncheckedIOException cause) {
    return new HaqException(
        Reason.UNAVAILABLE,
        "the measurement was cut short: give the same command again, what was measured is kept",
        cause);
  }

  /**
   * Exports into a file, which is there completely or not at all.
   *
   * @return what the service says of it
   */
  ExportResponse.Header export(ExportRequest request, Path target) {
    HttpResponse<InputStream> response =
        exchange(json("/v1/export", request), BodyHandlers.ofInputStream());
    try (InputStream body = response.body()) {
      if (response.statusCode() != 200) {
        throw problem(
            response.statusCode(), new String(body.readAllBytes(), StandardCharsets.UTF_8));
      }
      Download.save(body, target);
    } catch (IOException e) {
      throw new HaqException(
          Reason.UNAVAILABLE, "the download broke off: " + e.getMessage() + "; try again", e);
    }
    String said = response.headers().firstValue("Haq-Export").orElse("{}");
    return Json.parse(said, ExportResponse.Header.newBuilder()).build();
  }

  BuildCostTableResponse costTable(BuildCostTableRequest request) {
    return post("/v1/cost-table", request, BuildCostTableResponse.newBuilder()).build();
  }

  Session createSession(CreateSessionRequest request) {
    return post("/v1/sessions", request, Session.newBuilder()).build();
  }

  Session session(String id) {
    return get("/v1/sessions/" + encode(id), Session.newBuilder()).build();
  }

  /** Newest first. */
  List<Session> sessions() {
    List<Session> all = new ArrayList<>();
    String token = "";
    do {
      ListSessionsResponse page =
          get(
                  "/v1/sessions?page_size=1000&page_token=" + encode(token),
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
          get(
                  "/v1/sessions/%s/episodes?page_size=1000&page_token=%s"
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
    return post(
            "/v1/sessions/" + encode(session) + ":" + action,
            BodyPublishers.noBody(),
            Session.newBuilder())
        .build();
  }

  /**
   * Opens a session's event stream; the caller closes it.
   *
   * @param after episodes up to this number are left out
   */
  Stream<String> events(String session, int after) {
    HttpRequest request =
        HttpRequest.newBuilder(
                uri("/v1/sessions/" + encode(session) + "/events?after=" + Math.max(after, 0)))
            .header("Accept", "text/event-stream")
            .GET()
            .build();
    return lines(request);
  }

  /** The lines of a stream of events; the caller closes it. */
  private Stream<String> lines(HttpRequest request) {
    HttpResponse<Stream<String>> response = exchange(request, BodyHandlers.ofLines());
    if (response.statusCode() != 200) {
      try (Stream<String> lines = response.body()) {
        throw problem(response.statusCode(), String.join("\n", lines.toList()));
      }
    }
    return response.body();
  }

  /** Whether a gateway answers there. */
  boolean isReady() {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(uri("/healthz")).timeout(CONNECT_TIMEOUT).GET().build();
      return exchange(request, BodyHandlers.discarding()).statusCode() == 200;
    } catch (HaqException e) {
      return false;
    }
  }

  private <B extends Message.Builder> B get(String path, B answer) {
    return call(HttpRequest.newBuilder(uri(path)).timeout(CALL_TIMEOUT).GET().build(), answer);
  }

  private <B extends Message.Builder> B post(String path, Message body, B answer) {
    return call(json(path, body), answer);
  }

  private HttpRequest json(String path, Message body) {
    return HttpRequest.newBuilder(uri(path))
        .timeout(CALL_TIMEOUT)
        .header("Content-Type", "application/json")
        .POST(BodyPublishers.ofString(Json.print(body)))
        .build();
  }

  private <B extends Message.Builder> B post(
      String path, HttpRequest.BodyPublisher body, B answer) {
    return call(
        HttpRequest.newBuilder(uri(path))
            .timeout(CALL_TIMEOUT)
            .header("Content-Type", "application/octet-stream")
            .POST(body)
            .build(),
        answer);
  }

  private <B extends Message.Builder> B call(HttpRequest request, B answer) {
    HttpResponse<String> response =
        exchange(request, BodyHandlers.ofString(StandardCharsets.UTF_8));
    if (response.statusCode() / 100 != 2) {
      throw problem(response.statusCode(), response.body());
    }
    return Json.parse(response.body(), answer);
  }

  private <T> HttpResponse<T> exchange(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
    try {
      return http.send(request, handler);
    } catch (ConnectException e) {
      throw new HaqException(
          Reason.UNAVAILABLE,
          "nothing answers at " + base + ": start the services there with 'haq serve'",
          e);
    } catch (IOException e) {
      throw new HaqException(
          Reason.UNAVAILABLE,
          "the connection to " + base + " broke: " + e.getMessage() + "; try again",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HaqException(Reason.CANCELLED, "interrupted", e);
    }
  }

  /** What an application/problem+json document (RFC 9457) says. */
  private HaqException problem(int status, String body) {
    try {
      JsonNode document = Json.tree(body);
      Map<String, String> details = new HashMap<>();
      document
          .path("details")
          .properties()
          .forEach(field -> details.put(field.getKey(), field.getValue().asText()));
      return new HaqException(
          reason(document.path("reason").asText(""), status),
          document.path("detail").asText("the service answered with status " + status),
          details,
          null);
    } catch (HaqException e) {
      return new HaqException(
          Reason.INTERNAL,
          "%s answered with status %d and no explanation: is it a haq gateway?"
              .formatted(base, status),
          e);
    }
  }

  private static Reason reason(String name, int status) {
    for (Reason reason : Reason.values()) {
      if (reason.name().equals(name)) {
        return reason;
      }
    }
    return status / 100 == 4 ? Reason.INVALID_ARGUMENT : Reason.INTERNAL;
  }

  private URI uri(String pathAndQuery) {
    return URI.create(base + pathAndQuery);
  }

  private static HttpRequest.BodyPublisher upload(Path file) {
    try {
      return BodyPublishers.ofFile(file);
    } catch (FileNotFoundException e) {
      throw HaqException.invalid("%s: there is no such file", file);
    }
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
