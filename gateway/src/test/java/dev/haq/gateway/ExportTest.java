package dev.haq.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.Tuned;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.proto.quantizer.v1.ExportRequest;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Exported files on their way through the gateway. */
final class ExportTest {
  private static final int BEST = 7;

  private static GatewayFixture gateway;

  @BeforeAll
  static void start() {
    gateway = new GatewayFixture();
  }

  @AfterAll
  static void stop() {
    gateway.close();
  }

  private static <T> HttpResponse<T> export(String model, HttpResponse.BodyHandler<T> handler)
      throws IOException, InterruptedException {
    String json = "{\"model\": \"%s\", \"format\": \"ONNX_QCDQ\"}".formatted(model);
    return gateway.http.send(
        gateway.request("/v1/export").POST(BodyPublishers.ofString(json)).build(), handler);
  }

  @Test
  void aFileComesWithItsNameItsTypeAndWhatIsSaidOfIt() throws Exception {
    HttpResponse<byte[]> response = export("net", BodyHandlers.ofByteArray());
    assertEquals(200, response.statusCode());
    assertEquals(3 * FakeQuantizer.EXPORT_CHUNK, response.body().length);
    assertEquals(2, response.body()[2 * FakeQuantizer.EXPORT_CHUNK]);
    assertEquals(
        "application/octet-stream", response.headers().firstValue("Content-Type").orElseThrow());
    assertEquals(
        "attachment; filename=\"net.qcdq.onnx\"",
        response.headers().firstValue("Content-Disposition").orElseThrow());
    JsonNode said = GatewayFixture.json(response.headers().firstValue("Haq-Export").orElseThrow());
    assertEquals("caf\u00e9", said.at("/notes/0").asText());
  }

  @Test
  void aFileThatDiffersIsAProblem() throws Exception {
    HttpResponse<String> response = export("differs", BodyHandlers.ofString());
    assertEquals(422, response.statusCode());
    assertEquals("EXPORT_DIFFERS", GatewayFixture.json(response).get("reason").asText());
  }

  @Test
  void aFileThatBreaksOffIsNeverTakenForAWholeOne() {
    assertThrows(IOException.class, () -> export("breaks", BodyHandlers.ofByteArray()));
  }

  @Test
  void aReaderThatIsSlowHoldsTheQuantizerBackAndOneThatLeavesEndsTheCall() throws Exception {
    gateway.quantizer.abandoned = new CountDownLatch(1);
    HttpResponse<InputStream> response = export("large", BodyHandlers.ofInputStream());
    try (InputStream body = response.body()) {
      assertEquals(0, body.read());
      // 256 MiB in all; what is not read stays in the buffers on the way.
      assertTrue(gateway.quantizer.exported.get() < 1024, "chunks sent without being read");
    }
    assertTrue(gateway.quantizer.abandoned.await(30, TimeUnit.SECONDS));
  }

  @Test
  void theBestPolicyOfASessionIsExportedAsItWasSearched() throws Exception {
    gateway.agent.sessions.put("s1", searched().build());
    HttpResponse<String> response = gateway.get("/v1/sessions/s1/export?format=qonnx");
    assertEquals(200, response.statusCode(), response.body());
    ExportRequest asked = gateway.quantizer.exportRequest;
    assertEquals(ExportRequest.Format.QONNX, asked.getFormat());
    assertEquals("net", asked.getModel());
    assertEquals("ptq", asked.getRecipe().getName());
    assertEquals(5, asked.getPolicy().getLayers(0).getWeightBits());
    assertEquals(50, asked.getData().getMaxImages());
    assertEquals(DataSelection.Split.SEARCH, asked.getData().getSplit());
    assertEquals(400, gateway.get("/v1/sessions/s1/export?format=pdf").statusCode());
    assertEquals(400, gateway.get("/v1/sessions/s1/export").statusCode());
    assertEquals(404, gateway.get("/v1/sessions/none/export?format=csv").statusCode());
    gateway.agent.sessions.put("s2", Session.newBuilder().setId("s2").build());
    HttpResponse<String> early = gateway.get("/v1/sessions/s2/export?format=csv");
    assertEquals("UNKNOWN_EPISODE", GatewayFixture.json(early).get("reason").asText());
  }

  @Test
  void theNetworkThatWasFineTunedForTheBestPolicyIsExported() throws Exception {
    Tuned tuned =
        Tuned.newBuilder()
            .setEpisode(BEST)
            .setModel("tuned-net")
            .setRecipe(Recipe.newBuilder().setName("haq"))
            .build();
    gateway.agent.sessions.put("tuned", searched().setTuned(tuned).build());
    gateway.agent.sessions.put(
        "surpassed", searched().setTuned(tuned.toBuilder().setEpisode(BEST - 1)).build());

    assertEquals(200, gateway.get("/v1/sessions/tuned/export?format=qonnx").statusCode());
    ExportRequest asked = gateway.quantizer.exportRequest;
    assertEquals("tuned-net", asked.getModel());
    assertEquals("haq", asked.getRecipe().getName());
    assertEquals(5, asked.getPolicy().getLayers(0).getWeightBits());

    assertEquals(200, gateway.get("/v1/sessions/surpassed/export?format=qonnx").statusCode());
    assertEquals("net", gateway.quantizer.exportRequest.getModel(), "it was of another policy");
  }

  @Test
  void eachOfSeveralTargetsHasItsPolicyExportedAndTheFleetToo() throws Exception {
    Session.Builder session = searched();
    session.addTargetsBuilder().setTarget("edge").setBest(session.getBest());
    session
        .addTargetsBuilder()
        .setTarget("cloud")
        .setBest(best(2))
        .setTuned(
            Tuned.newBuilder()
                .setEpisode(BEST)
                .setModel("tuned-for-cloud")
                .setRecipe(Recipe.newBuilder().setName("haq")));
    session.getFleetBuilder().setBest(best(3));
    gateway.agent.sessions.put("fleet", session.build());
    gateway.agent.sessions.put("early", session.clone().clearFleet().build());
    assertEquals(5, widthExported("fleet", ""));
    assertEquals(5, widthExported("fleet", "&target=edge"));
    assertEquals(2, widthExported("fleet", "&target=cloud"));
    assertEquals("tuned-for-cloud", gateway.quantizer.exportRequest.getModel());
    assertEquals(3, widthExported("fleet", "&target=fleet"));
    assertEquals("net", gateway.quantizer.exportRequest.getModel());
    HttpResponse<String> best = gateway.get("/v1/sessions/fleet/best?target=cloud");
    assertEquals(2, GatewayFixture.json(best).at("/policy/layers/0/weight_bits").asInt());

    HttpResponse<String> unknown = gateway.get("/v1/sessions/fleet/best?target=moon");
    assertEquals(400, unknown.statusCode());
    assertTrue(unknown.body().contains("use one of edge, cloud, fleet"), unknown.body());
    HttpResponse<String> early = gateway.get("/v1/sessions/early/best?target=fleet");
    assertEquals("UNKNOWN_EPISODE", GatewayFixture.json(early).get("reason").asText());
    gateway.agent.sessions.put("one", searched().build());
    HttpResponse<String> one = gateway.get("/v1/sessions/one/best?target=edge");
    assertTrue(one.body().contains("has one target"), one.body());
  }

  /** Bits of the first layer's weights. */
  private static int widthExported(String session, String parameters) throws Exception {
    HttpResponse<String> response =
        gateway.get("/v1/sessions/" + session + "/export?format=qonnx" + parameters);
    assertEquals(200, response.statusCode(), response.body());
    return gateway.quantizer.exportRequest.getPolicy().getLayers(0).getWeightBits();
  }

  private static Episode best(int bits) {
    return Episode.newBuilder()
        .setNumber(BEST)
        .setPolicy(Policy.newBuilder().addLayers(LayerBits.newBuilder().setWeightBits(bits)))
        .build();
  }

  private static Session.Builder searched() {
    return Session.newBuilder()
        .setId("s1")
        .setSpec(
            SessionSpec.newBuilder()
                .setModel("net")
                .setData(DataSelection.newBuilder().setDataset("images").setMaxImages(50))
                .setRecipe(Recipe.newBuilder().setName("ptq")))
        .setBest(best(5));
  }
}
