package dev.haq.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.haq.rpc.RpcServer;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.rpc.Settings;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A real gateway on a free port, before fakes of the three services that speak real gRPC. */
final class GatewayFixture implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  final FakeAgent agent = new FakeAgent();
  final FakeHwsim hwsim = new FakeHwsim();
  final FakeQuantizer quantizer = new FakeQuantizer();
  final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final RpcServer services;
  private final GatewayService gateway;

  GatewayFixture() {
    this(Map.of());
  }

  /**
   * @param environment variables as {@code gateway.yaml} names them
   */
  GatewayFixture(Map<String, String> environment) {
    services =
        RpcServer.builder(runtime, "fakes")
            .host("127.0.0.1")
            .service(agent.service())
            .service(hwsim.service())
            .service(quantizer.service())
            .start();
    String target = "127.0.0.1:" + services.port();
    Map<String, String> variables = new HashMap<>();
    for (String service : List.of("AGENT", "HWSIM", "QUANTIZER")) {
      variables.put("HAQ_" + service + "_TARGET", target);
    }
    variables.putAll(environment);
    gateway = GatewayService.start(runtime, settings(variables));
  }

  /** On any port of loopback, where the environment does not say otherwise. */
  static GatewaySettings settings(Map<String, String> environment) {
    Map<String, String> variables = new HashMap<>();
    variables.put("HAQ_GATEWAY_HOST", "127.0.0.1");
    variables.put("HAQ_GATEWAY_PORT", "0");
    variables.putAll(environment);
    return Settings.load(
        GatewaySettings.class, GatewaySettings.RESOURCE, Optional.empty(), variables);
  }

  int port() {
    return gateway.port();
  }

  GatewayService gateway() {
    return gateway;
  }

  ServiceRuntime runtime() {
    return runtime;
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + port() + path);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(60));
  }

  HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return send(request(path).GET().build());
  }

  HttpResponse<String> post(String path, String json) throws IOException, InterruptedException {
    return send(request(path).POST(BodyPublishers.ofString(json)).build());
  }

  HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
    return http.send(request, BodyHandlers.ofString());
  }

  static JsonNode json(HttpResponse<String> response) throws JsonProcessingException {
    return JSON.readTree(response.body());
  }

  static JsonNode json(String text) throws JsonProcessingException {
    return JSON.readTree(text);
  }

  @Override
  public void close() {
    gateway.close();
    services.close();
    runtime.close();
  }
}
