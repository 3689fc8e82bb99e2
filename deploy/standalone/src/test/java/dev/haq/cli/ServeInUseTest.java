package dev.haq.cli;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code haq serve} beside another one, whose port or folder it would need. */
class ServeInUseTest {
  @TempDir static Path folder;
  private static Child first;
  private static int port;

  @BeforeAll
  static void serve() throws InterruptedException {
    first = Child.haq(Words.of("serve --port 0 --data-dir %s --json", folder.resolve("data")));
    port = URI.create(first.await(Child.SERVED_URL)).getPort();
  }

  @AfterAll
  static void stop() {
    first.close();
  }

  @Test
  void aPortInUseIsRefused() {
    Captured.run("serve --port %s --data-dir %s", port, folder.resolve("other"))
        .assertRefused("cannot listen on 127.0.0.1:" + port);
  }

  @Test
  void aSecondOneOnTheSameDataFolderIsRefused() {
    Captured second = Captured.run("serve --port 0 --data-dir %s", folder.resolve("data"));
    second.assertRefused("another 'haq serve' runs on it");
    second.assertRefused("--data-dir");
  }
}
