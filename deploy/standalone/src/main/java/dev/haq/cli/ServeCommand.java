package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** All four services and the page, until stopped. */
@Command(
    name = "serve",
    description = "Runs the four services and the web page until it is stopped.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description = "The address to listen on; ${DEFAULT-VALUE} by default, 0.0.0.0 for all.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "8080",
      description = "The port to listen on; ${DEFAULT-VALUE} by default, 0 for any free one.")
  private int port;

  @Option(
      names = "--grpc-port",
      paramLabel = "PORT",
      description =
          "Also serve the public gRPC API on this port, 0 for any free one; without it"
              + " $HAQ_GATEWAY_GRPC_PORT, or 9100, where $HAQ_GATEWAY_GRPC is true.")
  private Integer grpcPort;

  @Override
  public Integer call() throws InterruptedException {
    if (common.hasServer()) {
      throw HaqException.invalid("--server has no meaning here: serve starts the services itself");
    }
    check("--port", port);
    if (grpcPort != null) {
      check("--grpc-port", grpcPort);
    }
    OptionalInt grpc =
        grpcPort == null ? Standalone.Options.grpcPortOfEnvironment() : OptionalInt.of(grpcPort);
    Terminal terminal = common.terminal();
    FolderLock lock = lock(common.dataDir());
    Standalone standalone;
    try {
      standalone = Standalone.start(Standalone.Options.serving(host, port, grpc, common.dataDir()));
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
    ServeAddress.write(common.dataDir(), standalone.url());
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  ServeAddress.remove(common.dataDir());
                  standalone.close();
                  lock.close();
                  stopped.countDown();
                },
                "haq-stop"));
    announce(terminal, standalone);
    stopped.await();
    return Haq.DONE;
  }

  /** The sessions below a data folder are one process's at a time. */
  private static FolderLock lock(Path dataDir) {
    try {
      return FolderLock.on(dataDir.resolve(Standalone.SESSIONS))
          .orElseThrow(
              () ->
                  HaqException.invalid(
                      "--data-dir %s: another 'haq serve' runs on it: stop that one, or give"
                          + " another --data-dir",
                      dataDir));
    } catch (IOException e) {
      throw HaqException.invalid("--data-dir %s: cannot be written: %s", dataDir, FileFault.why(e));
    }
  }

  private static void check(String option, int port) {
    if (port < 0 || port > 65535) {
      throw HaqException.invalid("%s %d: use 0 to 65535", option, port);
    }
  }

  private void announce(Terminal terminal, Standalone standalone) {
    if (terminal.json()) {
      ObjectNode document = Json.object().put("url", standalone.url().toString());
      ObjectNode grpc = document.putObject("grpc");
      standalone.grpcAddresses().forEach(grpc::put);
      terminal.document(document);
      return;
    }
    terminal.line("HAQ is at %s (data in %s); Ctrl-C stops it", standalone.url(), common.dataDir());
    standalone
        .grpcAddresses()
        .forEach((service, address) -> terminal.line("  gRPC %s at %s", service, address));
  }
}
