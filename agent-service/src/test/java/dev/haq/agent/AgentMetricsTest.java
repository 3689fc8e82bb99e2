package dev.haq.agent;

import static dev.haq.agent.TestClient.spec;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Reward;
import dev.haq.proto.agent.v1.SessionState;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an agent tells of itself: each test has one of its own, with nothing to tell at first. */
final class AgentMetricsTest {
  @RegisterExtension final AgentFixture fixture = new AgentFixture();

  private FakeQuantizer quantizer;
  private TestClient client;

  @BeforeEach
  void start() {
    quantizer = fixture.quantizer();
    client = fixture.client();
  }

  @Test
  void metricsTellOfEpisodes() {
    quantizer.hold();
    String id = client.create(spec(4)).getId();
    quantizer.permit(2);
    client.awaitEpisodes(id, 2);
    quantizer.awaitHeld();
    String waiting = client.create(spec(1)).getId();
    client.await(waiting, SessionState.RUNNING);
    String queued = client.create(spec(1)).getId();
    assertEquals(2, metric("haq_agent_sessions_running"));
    assertEquals(2, metric("haq_agent_leases_held"));
    assertEquals(1, metric("haq_agent_sessions_queued"));
    assertEquals(2, metric("haq_agent_episode_seconds_count"));
    Episode second = client.episodes(id).get(1);
    assertEquals(second.getReward(), metric("haq_agent_episode_reward{reward=\"ACCURACY\"}"));
    assertEquals(
        second.getBestReward(), metric("haq_agent_episode_reward_best{reward=\"ACCURACY\"}"));
    assertTrue(Double.isNaN(metric("haq_agent_episode_reward{reward=\"KL_DIVERGENCE\"}")));

    quantizer.permit(1_000);
    for (String session : List.of(id, waiting, queued)) {
      client.awaitEnd(session);
    }
    assertEquals(6, metric("haq_agent_episode_seconds_count"));
    double seconds = metric("haq_agent_episode_seconds_sum");
    double parts = 0;
    for (String part : List.of("agent", "simulator", "quantizer", "store")) {
      String labels = "{part=\"" + part + "\"}";
      assertEquals(6, metric("haq_agent_episode_part_seconds_count" + labels), part);
      double time = metric("haq_agent_episode_part_seconds_sum" + labels);
      assertTrue(time > 0, part);
      parts += part.equals("store") ? 0 : time;
    }
    assertEquals(seconds, parts, 1e-6, "an episode is the sum of its parts, storing it aside");
    assertEquals(3, metric("haq_agent_sessions_ended_total{state=\"SUCCEEDED\"}"));
    for (String gauge : List.of("sessions_running", "sessions_queued", "leases_held", "watches")) {
      awaitNone("haq_agent_" + gauge);
    }
    assertEquals(0, metric("haq_agent_leases_taken_over_total"));
    assertEquals(0, metric("haq_agent_leases_lost_total"));
  }

  @Test
  void metricsTellOfRewardsByTheirKind() {
    client.awaitEnd(client.create(spec(3).setReward(Reward.KL_DIVERGENCE)).getId());
    double latest = metric("haq_agent_episode_reward{reward=\"KL_DIVERGENCE\"}");
    assertTrue(latest < 0, "reward " + latest);
    assertTrue(metric("haq_agent_episode_reward_best{reward=\"KL_DIVERGENCE\"}") >= latest);
    assertTrue(Double.isNaN(metric("haq_agent_episode_reward{reward=\"ACCURACY\"}")));
  }

  /** Places are left and watches closed just after their sessions have ended. */
  private void awaitNone(String gauge) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (metric(gauge) != 0) {
      assertTrue(System.nanoTime() < deadline, gauge + " is " + metric(gauge));
      Thread.onSpinWait();
    }
  }

  /** The value of a metric, by its name with its labels. */
  private double metric(String name) {
    String metrics = fixture.metrics();
    return metrics
        .lines()
        .filter(line -> line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + name + " in " + metrics));
  }
}
