package dev.haq.hwsim;

import dev.haq.model.HaqException;
import dev.haq.rpc.Settings;
import java.util.Optional;

/**
 * The simulator's settings; {@code hwsim.yaml} among the resources holds and explains every
 * default.
 *
 * @param port 1..65535, or 0 for any free port
 */
public record HwsimSettings(String host, int port, Limits limits) {
  /** The resource that holds the defaults. */
  public static final String RESOURCE = "hwsim.yaml";

  /**
   * The most that a request may ask for.
   *
   * @param layers layers of a network, at least 1
   * @param batch images in a batch, at least 1
   * @param messageBytes bytes of one message, at least 1
   * @param policies policies in one call, at least 1
   * @param cacheBytes bytes of answers that are kept, at least 0
   * @param seconds of computing for one call, whatever its deadline, above 0
   */
  public record Limits(
      int layers, int batch, long messageBytes, int policies, long cacheBytes, double seconds) {
    public Limits {
      positive("limits.layers", layers);
      positive("limits.batch", batch);
      positive("limits.policies", policies);
      if (!(seconds > 0)) {
        throw HaqException.invalid("limits.seconds %s must be above 0", seconds);
      }
      if (cacheBytes < 0) {
        throw HaqException.invalid("limits.cache-bytes %d must not be negative", cacheBytes);
      }
      positive("limits.message-bytes", messageBytes);
    }
  }

  public HwsimSettings {
    if (host == null || host.isBlank()) {
      throw HaqException.invalid("key 'host' is missing");
    }
    if (limits == null) {
      throw HaqException.invalid("key 'limits' is missing");
    }
    if (port < 0 || port > 65535) {
      throw HaqException.invalid("port %d is not between 0 and 65535", port);
    }
  }

  /** The defaults, with what the environment overrides. */
  public static HwsimSettings defaults() {
    return Settings.load(HwsimSettings.class, RESOURCE, Optional.empty());
  }

  /** These settings with another address to listen at. */
  public HwsimSettings withAddress(String newHost, int newPort) {
    return new HwsimSettings(newHost, newPort, limits);
  }

  private static void positive(String key, long value) {
    if (value <= 0) {
      throw HaqException.invalid("%s %d must be above 0", key, value);
    }
  }
}
