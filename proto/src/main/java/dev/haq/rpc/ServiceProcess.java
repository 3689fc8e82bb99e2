package dev.haq.rpc;

import dev.haq.model.HaqException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one service as a process of its own: {@code MainClass [--config FILE]}, until it is told to
 * stop.
 */
public final class ServiceProcess {
  private static final Logger LOG = LoggerFactory.getLogger(ServiceProcess.class);

  private ServiceProcess() {}

  /**
   * Loads settings, starts the service, and stops it gracefully when the process is asked to end.
   * Exits with 2 when the settings or arguments are wrong, after one line that says how to mend
   * them, and with 1 after one line when it does not start for another cause.
   *
   * @param resource the settings' resource, see {@link Settings}
   */
  public static <S> void run(
      String[] args,
      Class<S> settingsType,
      String resource,
      BiFunction<ServiceRuntime, S, AutoCloseable> start) {
    ServiceRuntime runtime = ServiceRuntime.create();
    try {
      S settings = Settings.load(settingsType, resource, configFile(args));
      AutoCloseable service = start.apply(runtime, settings);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(service, runtime), "shutdown"));
    } catch (HaqException e) {
      end(runtime, e.getMessage(), 2);
    } catch (RuntimeException | LinkageError e) {
      LOG.debug("the service does not start", e);
      end(runtime, "the service does not start: " + e.toString().replaceAll("\\R\\s*", " "), 1);
    }
  }

  private static void end(ServiceRuntime runtime, String message, int status) {
    LOG.error("{}", message);
    runtime.close();
    Runtime.getRuntime().exit(status);
  }

  private static Optional<Path> configFile(String[] args) {
    if (args.length == 0) {
      return Optional.empty();
    }
    if (args.length == 2 && args[0].equals("--config")) {
      return Optional.of(Path.of(args[1]));
    }
    throw HaqException.invalid(
        "unknown arguments '%s': the only option is --config FILE", String.join(" ", args));
  }

  private static void stop(AutoCloseable service, ServiceRuntime runtime) {
    try {
      service.close();
      runtime.close();
    } catch (Exception e) {
      LOG.warn("the service did not stop cleanly: {}", e.getMessage());
    }
  }
}
