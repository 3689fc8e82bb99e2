package dev.haq.standalone;

import dev.haq.agent.AgentService;
import dev.haq.agent.AgentSettings;
import dev.haq.gateway.GatewayService;
import dev.haq.gateway.GatewaySettings;
import dev.haq.hwsim.HwsimService;
import dev.haq.hwsim.HwsimSettings;
import dev.haq.model.HaqException;
import dev.haq.quantizer.QuantizerService;
import dev.haq.quantizer.QuantizerSettings;
import dev.haq.rpc.ServiceRuntime;
import dev.haq.rpc.Settings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The four services in this JVM. They talk gRPC over loopback ports, as they would between
 * machines; nothing but configuration differs.
 */
public final class Standalone implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Standalone.class);
  private static final String LOOPBACK = "127.0.0.1";

  /** Where {@link Options#serving} keeps the session store, in the data folder. */
  public static final String SESSIONS = "sessions";

  /** The URL of a session store that ends with the process. */
  private static final String MEMORY = "memory";

  /**
   * Defaults of the settings files that protect a service from its callers, or callers from a
   * service that hangs. Here they are one program: 1 TiB of data, and a day for a call.
   */
  private static final Map<String, String> DEFAULTS =
      Map.of(
          "HAQ_GATEWAY_MAX_DATASET_BYTES", "1099511627776",
          "HAQ_QUANTIZER_MAX_DATASET_BYTES", "1099511627776",
          "HAQ_QUANTIZER_MAX_UNPACKED_BYTES", "1099511627776",
          "HAQ_GATEWAY_EVALUATE_SECONDS", "86400",
          "HAQ_GATEWAY_UPLOAD_SECONDS", "86400",
          "HAQ_AGENT_EVALUATE_SECONDS", "86400");

  /**
   * How the services are put together.
   *
   * @param host the gateway's address; the services behind it listen on loopback alone
   * @param port the gateway's port, 0 for any free one
   * @param grpcPort the port of the gateway's public gRPC API, 0 for any free one; empty for none
   * @param dataDir imported models and data, content-addressed: several processes may share it
   * @param agent whether the agent service runs; it takes longest to start
   * @param sessions the session store's folder, which one process at a time can use; empty to keep
   *     sessions in memory
   */
  public record Options(
      String host,
      int port,
      OptionalInt grpcPort,
      Path dataDir,
      boolean agent,
      Optional<Path> sessions) {
    /**
     * For a command that starts the services for itself alone.
     *
     * @param sessions empty for commands that ask nothing of the agent service
     */
    public static Options inside(Path dataDir, Optional<Path> sessions) {
      return new Options(LOOPBACK, 0, OptionalInt.empty(), dataDir, sessions.isPresent(), sessions);
    }

    /** The same for a command that asks the agent service for something other than a session. */
    public static Options insideWithoutSessions(Path dataDir) {
      return new Options(LOOPBACK, 0, OptionalInt.empty(), dataDir, true, Optional.empty());
    }

    /** The port of the public gRPC API that the environment asks for; empty for none. */
    public static OptionalInt grpcPortOfEnvironment() {
      GatewaySettings.PublicGrpc grpc =
          settings(GatewaySettings.class, GatewaySettings.RESOURCE).publicGrpc();
      return grpc.enabled() ? OptionalInt.of(grpc.port()) : OptionalInt.empty();
    }

    /** For others to use; sessions are kept below {@code dataDir}. */
    public static Options serving(String host, int port, OptionalInt grpcPort, Path dataDir) {
      return new Options(
          host, port, grpcPort, dataDir, true, Optional.of(dataDir.resolve(SESSIONS)));
    }
  }

  private final URI url;
  private final Map<String, String> grpc;
  private final Deque<AutoCloseable> parts;

  private Standalone(URI url, Map<String, String> grpc, Deque<AutoCloseable> parts) {
    this.url = url;
    this.grpc = grpc;
    this.parts = parts;
  }

  /**
   * Starts the services; returns once all listen. To be called from a plain thread.
   *
   * @throws HaqException when the port, the session store or the data folder cannot be used
   */
  public static Standalone start(Options options) {
    checkFree(options);
    createFolders(options);
    Deque<AutoCloseable> parts = new ArrayDeque<>();
    try {
      ServiceRuntime runtime = push(parts, ServiceRuntime.create());
      HwsimService hwsim =
          push(
              parts,
              HwsimService.start(runtime, HwsimSettings.defaults().withAddress(LOOPBACK, 0)));
      QuantizerService quantizer =
          push(
              parts,
              QuantizerService.start(
                  runtime,
                  settings(QuantizerSettings.class, QuantizerSettings.RESOURCE)
                      .withAddress(LOOPBACK, 0)
                      .withDataDir(options.dataDir())));
      String hwsimTarget = LOOPBACK + ":" + hwsim.port();
      String quantizerTarget = LOOPBACK + ":" + quantizer.port();
      Map<String, String> grpc = new LinkedHashMap<>();
      grpc.put("hwsim", hwsimTarget);
      grpc.put("quantizer", quantizerTarget);
      if (options.agent()) {
        AgentService agent =
            push(
                parts,
                AgentService.start(
                    runtime,
                    settings(AgentSettings.class, AgentSettings.RESOURCE)
                        .withAddress(LOOPBACK, 0)
                        .withStore(options.sessions().map(Standalone::store).orElse(MEMORY))
                        .withTargets(hwsimTarget, quantizerTarget)));
        grpc.put("agent", LOOPBACK + ":" + agent.port());
      }
      // Without an agent any address will do: the other services answer that they do not know it.
      String agentTarget = grpc.getOrDefault("agent", hwsimTarget);
      GatewayService gateway =
          push(
              parts,
              GatewayService.start(
                  runtime,
                  settings(GatewaySettings.class, GatewaySettings.RESOURCE)
                      .withAddress(options.host(), options.port())
                      .withPublicGrpc(publicGrpc(options))
                      .withTargets(agentTarget, hwsimTarget, quantizerTarget)));
      gateway
          .grpcPort()
          .ifPresent(port -> grpc.put("gateway", url(options.host(), port).getAuthority()));
      return new Standalone(url(options.host(), gateway.port()), grpc, parts);
    } catch (RuntimeException e) {
      close(parts);
      throw e;
    }
  }

  /** Where the gateway listens. */
  public URI url() {
    return url;
  }

  /** Service to {@code host:port}: where each speaks gRPC. */
  public Map<String, String> grpcAddresses() {
    return Collections.unmodifiableMap(grpc);
  }

  /** Stops gracefully, what callers see first; to be called from a plain thread. */
  @Override
  public void close() {
    close(parts);
  }

  private static <T extends AutoCloseable> T push(Deque<AutoCloseable> parts, T part) {
    parts.push(part);
    return part;
  }

  private static void close(Deque<AutoCloseable> parts) {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        LOG.warn("a service did not stop cleanly: {}", e.getMessage());
      }
    }
  }

  /** Refuses a taken port before anything is opened: sessions are taken over as soon as it is. */
  private static void checkFree(Options options) {
    try (ServerSocket probe = new ServerSocket()) {
      // As the server itself does: a port that only waits to be free again is free.
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(options.host(), options.port()));
    } catch (IOException e) {
      throw HaqException.invalid(
          "cannot listen on %s:%d (%s): another program uses it, or it is not this machine's; choose another port",
          options.host(), options.port(), e.getMessage());
    }
  }

  /** What the environment says, else {@link #DEFAULTS}, else the settings file. */
  private static <T> T settings(Class<T> type, String resource) {
    Map<String, String> variables = new HashMap<>(DEFAULTS);
    variables.putAll(System.getenv());
    return Settings.load(type, resource, Optional.empty(), variables);
  }

  private static GatewaySettings.PublicGrpc publicGrpc(Options options) {
    return new GatewaySettings.PublicGrpc(
        options.grpcPort().isPresent(), options.grpcPort().orElse(0));
  }

  private static void createFolders(Options options) {
    try {
      Files.createDirectories(options.dataDir());
      if (options.sessions().isPresent()) {
        Files.createDirectories(options.sessions().get());
      }
    } catch (IOException e) {
      throw HaqException.invalid(
          "the data folder %s cannot be created: %s", options.dataDir(), e.getMessage());
    }
  }

  private static String store(Path folder) {
    return "jdbc:h2:file:" + folder.toAbsolutePath().resolve("sessions");
  }

  /** How this machine reaches what listens on an address: IPv6 in brackets, any as loopback. */
  static URI url(String host, int port) {
    String bare = host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    String name =
        switch (bare) {
          case "0.0.0.0" -> LOOPBACK;
          case "::" -> "[::1]";
          default -> bare.contains(":") ? "[" + bare + "]" : bare;
        };
    // Not formatted: some locales have digits of their own.
    return URI.create("http://" + name + ":" + port);
  }
}
