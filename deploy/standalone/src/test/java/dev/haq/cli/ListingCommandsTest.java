package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.FurtherTarget;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.hwsim.v1.LookupTable;
import dev.haq.proto.hwsim.v1.TargetRef;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.Resource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** {@code haq targets}, {@code haq sessions} and {@code haq watch}: what there is. */
class ListingCommandsTest {
  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void targetsAreListed() {
    Captured table = services.run("targets").done();
    List<String> names =
        services.run("targets --json").done().json().get("targets").findValuesAsText("name");
    assertEquals(
        List.of(
            "bismo-cloud",
            "bismo-edge",
            "bitfusion",
            "vnni-cpu",
            "tensor-core-gpu",
            "variable-bit-npu"),
        names);
    for (String name : names) {
      assertTrue(table.out().lines().anyMatch(line -> line.startsWith(name + " ")), table.out());
    }
  }

  @Test
  void sessionsAreListedAndWatched() {
    String id =
        services
            .run(
                """
                search --model builtin:shapes --data builtin:shapes --target bismo-edge
                --budget 0.6 --episodes 2 --images 32 --agent random --out %s --json
                """,
                folder)
            .done()
            .json()
            .at("/session/id")
            .asText();
    JsonNode sessions = services.run("sessions --json").done().json();
    assertEquals(id, sessions.at("/sessions/0/id").asText(), "the newest comes first");
    JsonNode watched = services.run("watch %s --after 1 --json", id).done().json();
    assertEquals(1, watched.get("episodes").size());
    assertEquals(2, watched.at("/episodes/0/number").asInt());
    services.run("watch nobody").assertRefused("no session");
  }

  @Test
  void theValuesOfMeasuredTablesComeWithTheSessionAlone() {
    GatewayClient client = services.client();
    TargetRef first = table("measured", 1);
    TargetRef second = table("measured too", 2);
    SessionSpec spec =
        Json.parse(SPEC, SessionSpec.newBuilder())
            .setTarget(first)
            .addFurtherTargets(FurtherTarget.newBuilder().setTarget(second))
            .build();
    String id =
        client.createSession(CreateSessionRequest.newBuilder().setSpec(spec).build()).getId();
    List<Session> brief = new ArrayList<>();
    Session ended =
        new SessionWatch(
                client,
                id,
                0,
                new SessionWatch.Listener() {
                  @Override
                  public void session(Session session) {
                    brief.add(session);
                  }

                  @Override
                  public void episode(Episode episode) {}
                })
            .follow();
    assertEquals(first, ended.getSpec().getTarget());
    assertEquals(second, ended.getSpec().getFurtherTargets(0).getTarget());
    assertTrue(brief.size() > 1, "the session as it stands, and its changes");
    client.sessions().stream().filter(s -> s.getId().equals(id)).forEach(brief::add);
    for (Session session : brief) {
      assertEquals(withoutValues(first), session.getSpec().getTarget());
      assertEquals(withoutValues(second), session.getSpec().getFurtherTargets(0).getTarget());
    }
  }

  private static final String SPEC =
      """
      {"model": "builtin:shapes", "data": {"dataset": "builtin:shapes", "max_images": 32},
       "budget": {"resource": "LATENCY", "ratio": 0.6}, "episodes": 3, "agent": "random"}
      """;

  /** Costs that grow with the bits of weights and of activations. */
  private static TargetRef table(String name, double seconds) {
    BitChoices bits = BitChoices.newBuilder().addAllBits(List.of(2, 4, 8)).build();
    LookupTable.Builder table =
        LookupTable.newBuilder()
            .setName(name)
            .setResource(Resource.LATENCY)
            .setWeightBits(bits)
            .setActivationBits(bits)
            .setLayers(services.layers());
    for (int layer = 0; layer < services.layers(); layer++) {
      for (int w : bits.getBitsList()) {
        for (int a : bits.getBitsList()) {
          table.addValues(seconds * w * a);
        }
      }
    }
    return TargetRef.newBuilder().setLookupTable(table).build();
  }

  private static TargetRef withoutValues(TargetRef table) {
    TargetRef.Builder brief = table.toBuilder();
    brief.getLookupTableBuilder().clearValues();
    return brief.build();
  }
}
