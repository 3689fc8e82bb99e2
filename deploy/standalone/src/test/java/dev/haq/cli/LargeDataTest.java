package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What a command sends to services of its own is not limited as strangers are. */
class LargeDataTest {
  @RegisterExtension static final Services services = new Services();

  @Test
  void dataOfMoreThanTwoGigabytesAreTaken() throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), services.url().getPort())) {
      socket.setSoTimeout(30_000);
      socket
          .getOutputStream()
          .write(
              String.join(
                      "\r\n",
                      "POST /v1/datasets?name=large HTTP/1.1",
                      "Host: localhost",
                      "Content-Length: 5000000000",
                      "Expect: 100-continue",
                      "\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      assertEquals(
          "HTTP/1.1 100",
          new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII));
    }
  }
}
