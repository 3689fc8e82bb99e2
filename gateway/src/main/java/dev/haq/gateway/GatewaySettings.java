package dev.haq.gateway;

import dev.haq.model.HaqException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * The gateway's settings; {@code gateway.yaml} among the resources holds and explains every
 * default.
 *
 * @param port 1..65535, or 0 for any free port
 * @param allowedHosts the names that requests may ask for it by beside those of this machine,
 *     without ports, separated by commas; empty: none where {@code host} is a loopback address,
 *     else any
 * @param publicGrpc the services' own gRPC API on a port of the gateway
 * @param agentTarget address of the agent service as {@link dev.haq.rpc.RpcChannel#open} takes it
 * @param hwsimTarget address of the hardware simulator
 * @param quantizerTarget address of the quantizer
 * @param heartbeatMillis longest silence of an event stream, 1..15,000 milliseconds
 */
public record GatewaySettings(
    String host,
    int port,
    String allowedHosts,
    PublicGrpc publicGrpc,
    String agentTarget,
    String hwsimTarget,
    String quantizerTarget,
    Limits limits,
    Deadlines deadlines,
    long heartbeatMillis) {

  /** Clients take a stream that is silent for three of these for a broken one. */
  private static final long LONGEST_HEARTBEAT_MILLIS = 15_000;

  private static final Pattern HOST = Pattern.compile("[\\w.-]+|\\[[0-9A-Fa-f:.]+]");

  /** The resource that holds the defaults. */
  public static final String RESOURCE = "gateway.yaml";

  /**
   * The public gRPC API.
   *
   * @param port 1..65535, or 0 for any free port; of meaning only when enabled
   */
  public record PublicGrpc(boolean enabled, int port) {
    public PublicGrpc {
      portRange("public-grpc.port", port);
    }
  }

  /**
   * The most that a request may hold, in bytes.
   *
   * @param uploadChunkBytes size of the messages an upload is cut into, 64 KiB to 1 MiB
   */
  public record Limits(long jsonBytes, long modelBytes, long datasetBytes, int uploadChunkBytes) {
    public Limits {
      positive("limits.json-bytes", jsonBytes);
      positive("limits.model-bytes", modelBytes);
      positive("limits.dataset-bytes", datasetBytes);
      if (uploadChunkBytes < 64 << 10 || uploadChunkBytes > 1 << 20) {
        throw HaqException.invalid(
            "limits.upload-chunk-bytes %d is not between 65536 and 1048576", uploadChunkBytes);
      }
    }
  }

  /**
   * The most that each kind of call to a service may take, in seconds.
   *
   * @param bodySeconds how long a body that is being sent may fail to come
   * @param idleSeconds how long a connection may have no request under way
   */
  public record Deadlines(
      long readSeconds,
      long sessionSeconds,
      long simulateSeconds,
      long evaluateSeconds,
      long uploadSeconds,
      long healthSeconds,
      long bodySeconds,
      long idleSeconds) {
    public Deadlines {
      positive("deadlines.read-seconds", readSeconds);
      positive("deadlines.session-seconds", sessionSeconds);
      positive("deadlines.simulate-seconds", simulateSeconds);
      positive("deadlines.evaluate-seconds", evaluateSeconds);
      positive("deadlines.upload-seconds", uploadSeconds);
      positive("deadlines.health-seconds", healthSeconds);
      positive("deadlines.body-seconds", bodySeconds);
      positive("deadlines.idle-seconds", idleSeconds);
    }

    public Duration read() {
      return Duration.ofSeconds(readSeconds);
    }

    public Duration session() {
      return Duration.ofSeconds(sessionSeconds);
    }

    public Duration simulate() {
      return Duration.ofSeconds(simulateSeconds);
    }

    public Duration evaluate() {
      return Duration.ofSeconds(evaluateSeconds);
    }

    public Duration upload() {
      return Duration.ofSeconds(uploadSeconds);
    }

    public Duration health() {
      return Duration.ofSeconds(healthSeconds);
    }

    public Duration body() {
      return Duration.ofSeconds(bodySeconds);
    }

    public Duration idle() {
      return Duration.ofSeconds(idleSeconds);
    }
  }

  public GatewaySettings {
    allowedHosts = Objects.requireNonNullElse(allowedHosts, "");
    required("host", host);
    required("agent-target", agentTarget);
    required("hwsim-target", hwsimTarget);
    required("quantizer-target", quantizerTarget);
    required("limits", limits);
    required("deadlines", deadlines);
    required("public-grpc", publicGrpc);
    portRange("port", port);
    if (heartbeatMillis < 1 || heartbeatMillis > LONGEST_HEARTBEAT_MILLIS) {
      throw HaqException.invalid(
          "heartbeat-millis %d is not between 1 and %d, what clients count on",
          heartbeatMillis, LONGEST_HEARTBEAT_MILLIS);
    }
    for (String name : names(allowedHosts)) {
      if (!HOST.matcher(name).matches()) {
        throw HaqException.invalid(
            "allowed-hosts: '%s' is no name or address: leave out scheme and port, and put IPv6 addresses in brackets",
            name);
      }
    }
  }

  /** The names of {@code allowedHosts}, each once. */
  public List<String> hosts() {
    return names(allowedHosts);
  }

  private static List<String> names(String list) {
    return Arrays.stream(list.split(",", -1))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .distinct()
        .toList();
  }

  /** These settings with another address to listen at. */
  public GatewaySettings withAddress(String newHost, int newPort) {
    return new GatewaySettings(
        newHost,
        newPort,
        allowedHosts,
        publicGrpc,
        agentTarget,
        hwsimTarget,
        quantizerTarget,
        limits,
        deadlines,
        heartbeatMillis);
  }

  /** These settings with the gRPC API served otherwise. */
  public GatewaySettings withPublicGrpc(PublicGrpc grpc) {
    return new GatewaySettings(
        host,
        port,
        allowedHosts,
        grpc,
        agentTarget,
        hwsimTarget,
        quantizerTarget,
        limits,
        deadlines,
        heartbeatMillis);
  }

  /** These settings with other services to call. */
  public GatewaySettings withTargets(String agent, String hwsim, String quantizer) {
    return new GatewaySettings(
        host,
        port,
        allowedHosts,
        publicGrpc,
        agent,
        hwsim,
        quantizer,
        limits,
        deadlines,
        heartbeatMillis);
  }

  private static void portRange(String key, int value) {
    if (value < 0 || value > 65535) {
      throw HaqException.invalid("%s %d is not between 0 and 65535", key, value);
    }
  }

  private static void required(String key, Object value) {
    if (value == null || value.toString().isBlank()) {
      throw HaqException.invalid("key '%s' is missing", key);
    }
  }

  private static void positive(String key, long value) {
    if (value <= 0) {
      throw HaqException.invalid("%s %d must be above 0", key, value);
    }
  }
}
