package dev.haq.gateway;

import static dev.haq.gateway.GatewayFixture.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.proto.quantizer.v1.ImportDatasetRequest;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
final class UploadsTest {
  private static final int CHUNK = 128 << 10;
  private static final int LIMIT = 32 << 20;

  private GatewayFixture gateway;

  @BeforeEach
  void start() {
    gateway =
        new GatewayFixture(
            Map.of(
                "HAQ_GATEWAY_MAX_JSON_BYTES", "4096",
                "HAQ_GATEWAY_MAX_MODEL_BYTES", Integer.toString(LIMIT),
                "HAQ_GATEWAY_MAX_DATASET_BYTES", Integer.toString(LIMIT),
                "HAQ_GATEWAY_UPLOAD_CHUNK_BYTES", Integer.toString(CHUNK)));
  }

  @AfterEach
  void stop() {
    gateway.quantizer.gate.countDown();
    gateway.close();
  }

  @Test
  void aModelArrivesWholeInChunksOfTheSizeSet() throws Exception {
    byte[] model = bytes(20_000_001);
    HttpResponse<String> answer =
        upload("/v1/models?name=my%20net", BodyPublishers.ofByteArray(model));
    assertEquals(201, answer.statusCode(), answer.body());
    String sha = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(model));
    JsonNode stored = json(answer);
    assertEquals("sha256:" + sha, stored.get("id").asText());
    assertEquals("my net", stored.get("name").asText());
    assertEquals("20000001", stored.get("size_bytes").asText());
    assertEquals("/v1/models/sha256:" + sha, answer.headers().firstValue("location").orElseThrow());
    assertTrue(gateway.quantizer.chunks.stream().allMatch(size -> size <= CHUNK));
    assertEquals(CHUNK, gateway.quantizer.chunks.get(0));
  }

  @Test
  void aBodyWithoutADeclaredLengthIsTakenToo() throws Exception {
    byte[] model = bytes(300_000);
    HttpResponse<String> answer =
        upload("/v1/models", BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(model)));
    assertEquals("300000", json(answer).get("size_bytes").asText());
  }

  @Test
  void aDatasetsFormatAndPreprocessingGoIntoItsHeader() throws Exception {
    BodyPublisher body = BodyPublishers.ofByteArray(new byte[3073]);
    HttpResponse<String> answer =
        upload("/v1/datasets?name=d&format=CIFAR10_BINARY&preprocess=imagenet", body);
    assertEquals(201, answer.statusCode(), answer.body());
    assertEquals("/v1/datasets/sha256:1", answer.headers().firstValue("location").orElseThrow());
    ImportDatasetRequest.Header header = gateway.quantizer.datasetHeader;
    assertEquals(ImportDatasetRequest.Header.Format.CIFAR10_BINARY, header.getFormat());
    assertEquals(224, header.getPreprocessing().getCrop());
    upload("/v1/datasets?format=CLASS_FOLDERS_ZIP&preprocess=%7B%22crop%22%3A%2032%7D", body);
    assertEquals(32, gateway.quantizer.datasetHeader.getPreprocessing().getCrop());
    upload("/v1/datasets?name=d", body);
    assertEquals(
        ImportDatasetRequest.Header.Format.FORMAT_UNSPECIFIED,
        gateway.quantizer.datasetHeader.getFormat(),
        "the service tells it from the file");
    upload("/v1/datasets?format=CLASS_FOLDERS_TAR_GZ", body);
    assertEquals(
        ImportDatasetRequest.Header.Format.CLASS_FOLDERS_TAR_GZ,
        gateway.quantizer.datasetHeader.getFormat());
    assertDetail("no dataset format 'TAR'", upload("/v1/datasets?format=TAR", body));
    assertDetail(
        "no preprocessing preset 'lenet'",
        upload("/v1/datasets?format=CIFAR10_BINARY&preprocess=lenet", body));
    assertDetail(
        "there is no field 'size'",
        upload("/v1/datasets?format=CIFAR10_BINARY&preprocess=%7B%22size%22%3A1%7D", body));
  }

  @Test
  void aLargeUploadIsRefusedBeforeItIsRead() throws Exception {
    HttpResponse<String> answer =
        upload("/v1/models", BodyPublishers.ofByteArray(new byte[LIMIT + 1]));
    assertEquals(413, answer.statusCode(), answer.body());
    assertEquals("TOO_LARGE", json(answer).get("reason").asText());
    assertDetail("HAQ_GATEWAY_MAX_MODEL_BYTES", answer);
    assertEquals(1, gateway.quantizer.begun.getCount(), "nothing of it reached the service");
  }

  @Test
  void aLargeUploadOfUnknownLengthIsRefusedOnTheWayAndDropped() throws Exception {
    HttpResponse<String> answer =
        upload(
            "/v1/models",
            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(new byte[LIMIT + 1])));
    assertEquals(413, answer.statusCode(), answer.body());
    assertTrue(gateway.quantizer.dropped.await(30, TimeUnit.SECONDS));
  }

  @Test
  void aRefusalByTheServiceReachesACallerThatIsStillSending() throws Exception {
    byte[] text = bytes(16 << 20);
    System.arraycopy("text".getBytes(StandardCharsets.UTF_8), 0, text, 0, 4);
    HttpResponse<String> answer = upload("/v1/models", BodyPublishers.ofByteArray(text));
    assertEquals(400, answer.statusCode(), answer.body());
    assertEquals("INVALID_MODEL", json(answer).get("reason").asText());
    assertEquals(201, upload("/v1/models", BodyPublishers.ofByteArray(bytes(100))).statusCode());
  }

  @Test
  void anUploadThatIsBrokenOffIsDropped() throws Exception {
    try (Socket socket = connected()) {
      OutputStream out = socket.getOutputStream();
      out.write(head("/v1/models", "Content-Length: 10000000"));
      out.write(bytes(CHUNK * 2));
      out.flush();
      assertTrue(gateway.quantizer.begun.await(30, TimeUnit.SECONDS));
    }
    assertTrue(gateway.quantizer.dropped.await(30, TimeUnit.SECONDS));
  }

  @Test
  @WaitsForTimers
  void aCallerThatSendsForLongAfterItWasRefusedStillReadsWhy() throws Exception {
    try (Socket socket = connected()) {
      OutputStream out = socket.getOutputStream();
      out.write(head("/v1/models", "Transfer-Encoding: chunked"));
      out.write((Integer.toHexString(LIMIT + 1) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      out.write(new byte[LIMIT + 1]);
      out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
      out.flush();
      assertTrue(gateway.quantizer.dropped.await(30, TimeUnit.SECONDS), "refused on the way");
      // Longer than a gateway waits for a body that does not come: each read but the first times
      // out.
      ByteArrayOutputStream read = new ByteArrayOutputStream();
      byte[] part = new byte[4096];
      socket.setSoTimeout(500);
      for (int piece = 0; piece < 26; piece++) {
        out.write("1\r\nx\r\n".getBytes(StandardCharsets.US_ASCII));
        out.flush();
        try {
          read.write(part, 0, Math.max(0, socket.getInputStream().read(part)));
        } catch (SocketTimeoutException e) {
          // Nothing more of the answer so far.
        }
      }
      socket.setSoTimeout(30_000);
      out.write(
          "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
              .getBytes(StandardCharsets.US_ASCII));
      read.write(socket.getInputStream().readAllBytes());
      String answers = read.toString(StandardCharsets.UTF_8);
      assertTrue(answers.startsWith("HTTP/1.1 413 "), answers);
      assertTrue(answers.contains("\"TOO_LARGE\""), answers);
      assertTrue(answers.contains("HTTP/1.1 200 OK"), "the connection serves on: " + answers);
    }
  }

  @Test
  @WaitsForTimers
  void aGatewayThatStopsTellsCallersWhoseCallsItGivesUp() throws Exception {
    gateway.quantizer.gate = new CountDownLatch(1);
    gateway.quantizer.begun = new CountDownLatch(2);
    CompletableFuture<HttpResponse<String>> sent =
        gateway.http.sendAsync(
            gateway.request("/v1/models").POST(BodyPublishers.ofByteArray(bytes(1000))).build(),
            BodyHandlers.ofString());
    CompletableFuture<HttpResponse<String>> evaluation =
        gateway.http.sendAsync(
            gateway
                .request("/v1/evaluate")
                .POST(BodyPublishers.ofString("{\"model\": \"slow\"}"))
                .build(),
            BodyHandlers.ofString());
    try (Socket socket = connected()) {
      OutputStream out = socket.getOutputStream();
      out.write(head("/v1/models", "Content-Length: 10000000"));
      out.write(bytes(CHUNK * 2));
      out.flush();
      assertTrue(gateway.quantizer.begun.await(30, TimeUnit.SECONDS));
      assertTrue(gateway.quantizer.evaluating.await(30, TimeUnit.SECONDS));
      gateway.gateway().close();
      for (HttpResponse<String> answer : List.of(sent.get(), evaluation.get())) {
        assertEquals(503, answer.statusCode(), answer.body());
        assertEquals("UNAVAILABLE", json(answer).get("reason").asText());
        assertDetail("this gateway is stopping", answer);
      }
      String answer = new String(socket.getInputStream().readNBytes(12), StandardCharsets.UTF_8);
      assertEquals("HTTP/1.1 503", answer, "to a caller that is still sending");
    }
  }

  @Test
  void aSlowServiceHoldsTheUploadBack() throws Exception {
    gateway.quantizer.gate = new CountDownLatch(1);
    CountDownLatch tooFar = new CountDownLatch(1);
    byte[] model = bytes(LIMIT);
    InputStream watched =
        new ByteArrayInputStream(model) {
          @Override
          public synchronized int read(byte[] target, int offset, int length) {
            if (pos > LIMIT / 2) {
              tooFar.countDown();
            }
            return super.read(target, offset, length);
          }
        };
    CompletableFuture<HttpResponse<String>> answer =
        gateway.http.sendAsync(
            gateway.request("/v1/models").POST(BodyPublishers.ofInputStream(() -> watched)).build(),
            BodyHandlers.ofString());
    assertTrue(gateway.quantizer.begun.await(30, TimeUnit.SECONDS));
    assertFalse(tooFar.await(1, TimeUnit.SECONDS), "the gateway must not collect the body");
    gateway.quantizer.gate.countDown();
    assertEquals(201, answer.get(30, TimeUnit.SECONDS).statusCode());
    assertEquals(LIMIT, gateway.quantizer.chunks.stream().mapToInt(Integer::intValue).sum());
  }

  @Test
  void aFormIsRefusedWithTheWayToSendAFile() throws Exception {
    HttpResponse<String> answer =
        gateway.send(
            gateway
                .request("/v1/models")
                .header("Content-Type", "multipart/form-data; boundary=x")
                .POST(BodyPublishers.ofString("--x--"))
                .build());
    assertEquals(415, answer.statusCode());
    assertDetail("--data-binary", answer);
  }

  @Test
  @WaitsForTimers
  void aCallerThatIsRefusedAtOnceAndSendsNoMoreIsDisconnected() throws Exception {
    try (Socket socket = connected()) {
      socket.setSoTimeout(20_000);
      socket
          .getOutputStream()
          .write(head("/v1/models", "Content-Type: multipart/form-data\r\nContent-Length: 1000"));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(answer.startsWith("HTTP/1.1 415 "), answer);
    }
  }

  @Test
  void aClientThatAsksBeforeSendingIsAnswered() throws Exception {
    byte[] model = bytes(100_000);
    HttpResponse<String> answer =
        gateway.send(
            gateway
                .request("/v1/models")
                .expectContinue(true)
                .POST(BodyPublishers.ofByteArray(model))
                .build());
    assertEquals(201, answer.statusCode());
  }

  private Socket connected() throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), gateway.port());
  }

  private static byte[] head(String path, String header) {
    return "POST %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n"
        .formatted(path, header)
        .getBytes(StandardCharsets.US_ASCII);
  }

  private HttpResponse<String> upload(String path, BodyPublisher body) throws Exception {
    return gateway.send(gateway.request(path).POST(body).build());
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(1).nextBytes(bytes);
    return bytes;
  }

  private static void assertDetail(String part, HttpResponse<String> answer) throws Exception {
    String detail = json(answer).path("detail").asText();
    assertTrue(detail.contains(part), answer.body());
  }
}
