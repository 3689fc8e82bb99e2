package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bodies that {@code curl -d} sends, which are JSON under the content type of a form. */
@Timeout(60)
final class BodiesTest {
  private static final int LIMIT = 65536;
  private static final String FORM = "application/x-www-form-urlencoded";

  private static GatewayFixture gateway;

  @BeforeAll
  static void start() {
    gateway = new GatewayFixture(Map.of("HAQ_GATEWAY_MAX_JSON_BYTES", Integer.toString(LIMIT)));
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  @Test
  void aLongJsonBodyUnderTheTypeOfAFormIsRead() throws Exception {
    assertEquals(200, post(FORM, simulation(200, "layer")).statusCode());
  }

  @Test
  void percentAndPlusAndAmpersandAreNotDecodedAsAForm() throws Exception {
    HttpResponse<String> answer = post(FORM, simulation(1, "100%&a=b+c;%zz%41"));
    assertEquals(200, answer.statusCode(), answer.body());
    HttpResponse<String> quoted = post(FORM, "{\"no+such%41&field\": 1}");
    assertTrue(quoted.body().contains("there is no field 'no+such%41&field'"), quoted.body());
  }

  @Test
  void aBodyUnderTheTypeOfAMultipartFormIsReadAsWell() throws Exception {
    String type = "multipart/form-data; boundary=x";
    assertEquals(200, post(type, simulation(200, "50%")).statusCode());
  }

  @Test
  void oneOverTheLimitIsRefusedWithItsReasonAndTheConnectionGoesOn() throws Exception {
    for (String type : new String[] {FORM, "application/json"}) {
      HttpResponse<String> answer = post(type, " ".repeat(4 * LIMIT) + "{}");
      assertEquals(413, answer.statusCode(), answer.body());
      assertEquals("TOO_LARGE", json(answer).get("reason").asText());
    }
    assertEquals(200, post(FORM, simulation(1, "layer")).statusCode());
  }

  @Test
  void oneOverTheLimitWhoseLengthIsNotSaidIsRefusedToo() throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), gateway.port())) {
      OutputStream out = socket.getOutputStream();
      out.write(
          ("POST /v1/simulate HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
                  + FORM
                  + "\r\nTransfer-Encoding: chunked\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      byte[] chunk =
          (Integer.toHexString(LIMIT / 2) + "\r\n" + " ".repeat(LIMIT / 2) + "\r\n")
              .getBytes(StandardCharsets.US_ASCII);
      for (int i = 0; i < 4; i++) {
        out.write(chunk);
      }
      out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
      try (InputStream in = socket.getInputStream()) {
        String answer = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
        assertTrue(answer.contains("\"reason\":\"TOO_LARGE\""), answer);
      }
    }
  }

  @Test
  void anEmptyBodySaysSo() throws Exception {
    HttpResponse<String> answer = post(FORM, "");
    assertEquals(400, answer.statusCode());
    assertTrue(answer.body().contains("the request body is empty"), answer.body());
  }

  /** A request for the cost of so many layers: 40 bytes each at least. */
  private static String simulation(int layers, String name) {
    String layer = "{\"name\": \"" + name + "-of-a-network-with-long-names\"}";
    return "{\"target\": {\"name\": \"bismo-edge\"}, \"network\": {\"layers\": ["
        + (layer + ", ").repeat(layers - 1)
        + layer
        + "]}}";
  }

  private static HttpResponse<String> post(String type, String body) throws Exception {
    return gateway.send(
        gateway
            .request("/v1/simulate")
            .header("Content-Type", type)
            .POST(BodyPublishers.ofString(body))
            .build());
  }
}
