package dev.haq.agent;

import dev.haq.model.HaqException;
import dev.haq.rpc.Settings;
import java.util.Optional;

/**
 * The search agent's settings; {@code agent.yaml} among the resources holds and explains every
 * default.
 *
 * @param port 1..65535, or 0 for any free port
 */
public record AgentSettings(
    String host, int port, Store store, Sessions sessions, Peer hwsim, Quantizer quantizer) {
  /** The resource that holds the defaults. */
  public static final String RESOURCE = "agent.yaml";

  /**
   * Where sessions are kept.
   *
   * @param url {@code memory}, or a JDBC URL
   */
  public record Store(String url) {
    public Store {
      present("store.url", url);
    }
  }

  /**
   * How sessions run.
   *
   * @param maxRunning at a time, at least 1; more wait in line
   * @param patienceSeconds how long a session waits for a service or the store that is away before
   *     it fails or is put down, at least 0; a service that is there and busy is waited for however
   *     long that takes
   * @param leaseSeconds how long a session stays with a process that is not heard of any more, at
   *     least 2
   */
  public record Sessions(int maxRunning, int patienceSeconds, int leaseSeconds) {
    public Sessions {
      atLeast("sessions.max-running", maxRunning, 1);
      atLeast("sessions.patience-seconds", patienceSeconds, 0);
      atLeast("sessions.lease-seconds", leaseSeconds, 2); // renewed every second
    }
  }

  /**
   * A service that this one calls.
   *
   * @param target {@code host:port}, a comma-separated list of them, or {@code dns:///name:port}
   * @param deadlineSeconds the most that one call may take, at least 1
   */
  public record Peer(String target, int deadlineSeconds) {
    public Peer {
      present("target", target);
      atLeast("deadline-seconds", deadlineSeconds, 1);
    }

    /** This service at another address. */
    public Peer at(String newTarget) {
      return new Peer(newTarget, deadlineSeconds);
    }
  }

  /**
   * The quantizer.
   *
   * @param target as of {@link Peer}
   * @param deadlineSeconds as of {@link Peer}
   * @param shards that each evaluation is divided into, at least 1: as many as there are replicas
   */
  public record Quantizer(String target, int deadlineSeconds, int shards) {
    public Quantizer {
      atLeast("quantizer.shards", shards, 1);
    }

    Peer peer() {
      return new Peer(target, deadlineSeconds);
    }

    Quantizer at(String newTarget) {
      return new Quantizer(newTarget, deadlineSeconds, shards);
    }

    /** The same with evaluations divided otherwise. */
    public Quantizer withShards(int newShards) {
      return new Quantizer(target, deadlineSeconds, newShards);
    }
  }

  public AgentSettings {
    present("host", host);
    present("store", store);
    present("sessions", sessions);
    present("hwsim", hwsim);
    present("quantizer", quantizer);
    if (port < 0 || port > 65535) {
      throw HaqException.invalid("port %d is not between 0 and 65535", port);
    }
  }

  /** The defaults, with what the environment overrides. */
  public static AgentSettings defaults() {
    return Settings.load(AgentSettings.class, RESOURCE, Optional.empty());
  }

  /** These settings with another address to listen at. */
  public AgentSettings withAddress(String newHost, int newPort) {
    return new AgentSettings(newHost, newPort, store, sessions, hwsim, quantizer);
  }

  /** These settings with another store, see {@link Store#url}. */
  public AgentSettings withStore(String url) {
    return new AgentSettings(host, port, new Store(url), sessions, hwsim, quantizer);
  }

  /** These settings with other limits on sessions. */
  public AgentSettings withSessions(Sessions newSessions) {
    return new AgentSettings(host, port, store, newSessions, hwsim, quantizer);
  }

  /** These settings with other services to call, see {@link Peer#target}. */
  public AgentSettings withTargets(String hwsimTarget, String quantizerTarget) {
    return new AgentSettings(
        host, port, store, sessions, hwsim.at(hwsimTarget), quantizer.at(quantizerTarget));
  }

  /** These settings with each evaluation divided into so many shards. */
  public AgentSettings withShards(int shards) {
    return new AgentSettings(host, port, store, sessions, hwsim, quantizer.withShards(shards));
  }

  private static void present(String key, Object value) {
    if (value == null || (value instanceof String text && text.isBlank())) {
      throw HaqException.invalid("key '%s' is missing", key);
    }
  }

  private static void atLeast(String key, int value, int least) {
    if (value < least) {
      throw HaqException.invalid("%s is %d: use at least %d", key, value, least);
    }
  }
}
