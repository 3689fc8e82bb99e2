package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class ServiceRuntimeTest {
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @Test
  void methodsThatCallersInventMakeNoMetersOfTheirOwn() throws Exception {
    try (ServiceRuntime runtime = ServiceRuntime.create();
        RpcServer server = RpcServer.builder(runtime, "test").host("127.0.0.1").start()) {
      ask(server, "GET", "/metrics");
      ask(server, "ODD0", "/nowhere");
      int before = series(ask(server, "GET", "/metrics"));
      for (int i = 1; i <= 100; i++) {
        ask(server, "ODD" + i, "/nowhere");
      }
      String after = ask(server, "GET", "/metrics");

      assertEquals(before, series(after), after);
      assertTrue(after.contains("method=\"OTHER\""), after);
      assertFalse(after.contains("ODD"), after);
    }
  }

  @Test
  void probesAreToldApartFromOtherRequests() throws Exception {
    try (ServiceRuntime runtime = ServiceRuntime.create();
        RpcServer server = RpcServer.builder(runtime, "test").host("127.0.0.1").start()) {
      ask(server, "GET", "/healthz");
      ask(server, "GET", "/readyz");
      ask(server, "GET", "/nowhere");

      List<String> routes =
          ask(server, "GET", "/metrics")
              .lines()
              .filter(line -> line.startsWith("vertx_http_server_requests_total"))
              .map(line -> line.replaceAll(".*route=\"([^\"]*)\".*", "$1"))
              .sorted()
              .toList();
      assertEquals(List.of("", "/healthz", "/readyz"), routes);
    }
  }

  @Test
  void aProcessThatIsKilledLeavesNoFolderOfVertx(@TempDir Path folder) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + folder,
                "-cp",
                System.getProperty("java.class.path"),
                Halted.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(Halted.STATUS, process.exitValue());
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(
          List.of(),
          left.map(path -> path.getFileName().toString())
              .filter(name -> name.contains("vertx"))
              .toList());
    }
  }

  /** Starts a server and ends as {@code kill -9} would. */
  static final class Halted {
    static final int STATUS = 7;

    public static void main(String[] args) {
      RpcServer.builder(ServiceRuntime.create(), "test").host("127.0.0.1").start();
      Runtime.getRuntime().halt(STATUS);
    }
  }

  private static String ask(RpcServer server, String method, String path) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + server.port() + path);
    return HTTP.send(
            HttpRequest.newBuilder(uri).method(method, BodyPublishers.noBody()).build(),
            BodyHandlers.ofString())
        .body();
  }

  private static int series(String metrics) {
    return (int) metrics.lines().filter(line -> line.startsWith("vertx_http_server")).count();
  }
}
