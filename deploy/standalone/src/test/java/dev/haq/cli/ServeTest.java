package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code haq serve} as a process of its own, killed in the middle of its work. */
class ServeTest {
  /** Past the warm-up of 20, so that what the agent has learned has to survive too. */
  private static final int EPISODES = 26;

  private static final int KILLED_AFTER = 22;

  @TempDir Path folder;

  @Test
  void aKilledServiceGoesOnAsIfNothingHadHappened() throws InterruptedException {
    String id;
    Child first = serve();
    try {
      GatewayClient client = client(first);
      id = client.createSession(spec("killed")).getId();
      awaitEpisode(client, id, KILLED_AFTER);
    } finally {
      first.kill();
    }
    try (Child second = serve()) {
      GatewayClient client = client(second);
      List<Episode> resumed = follow(client, id);
      assertEquals(numbers(1, EPISODES), resumed.stream().map(Episode::getNumber).toList());
      String undisturbed = client.createSession(spec("undisturbed")).getId();
      List<Episode> expected = follow(client, undisturbed);
      assertEquals(outcomes(expected), outcomes(resumed));
      assertEquals(
          numbers(18, EPISODES),
          numbersFrom(client.events(id, 17)),
          "a reader that comes back gets what it has not seen");
    }
  }

  private Child serve() {
    return Child.haq(Words.of("serve --port 0 --data-dir %s --json", folder));
  }

  private static GatewayClient client(Child child) throws InterruptedException {
    return new GatewayClient(URI.create(child.await(Child.SERVED_URL)));
  }

  private static CreateSessionRequest spec(String name) {
    return Json.parse(
            """
            {"spec": {"name": "%s", "model": "builtin:shapes",
              "data": {"dataset": "builtin:shapes", "max_images": 32},
              "target": {"name": "bismo-edge"}, "budget": {"resource": "LATENCY", "ratio": 0.6},
              "episodes": %d, "seed": 3}}
            """
                .formatted(name, EPISODES),
            CreateSessionRequest.newBuilder())
        .build();
  }

  private static void awaitEpisode(GatewayClient client, String id, int number) {
    try (Stream<String> lines = client.events(id, 0)) {
      SseReader.read(
          lines.iterator(),
          event ->
              !event.type().equals("episode")
                  || Json.parse(event.data(), Episode.newBuilder()).getNumber() < number);
    }
  }

  private static List<Episode> follow(GatewayClient client, String id) {
    Terminal silent =
        new Terminal(
            new PrintStream(OutputStream.nullOutputStream()),
            new PrintStream(OutputStream.nullOutputStream()),
            false,
            false);
    EpisodeLines.Followed followed = EpisodeLines.follow(client, id, 0, silent);
    Session ended = followed.ended();
    assertEquals(SessionState.SUCCEEDED, ended.getState(), ended.getError());
    return followed.episodes();
  }

  /** All that a seed determines. */
  private static List<Object> outcomes(List<Episode> episodes) {
    return episodes.stream()
        .<Object>map(e -> List.of(e.getNumber(), e.getPolicy(), e.getReward(), e.getCost()))
        .toList();
  }

  private static List<Integer> numbersFrom(Stream<String> events) {
    List<Integer> numbers = new ArrayList<>();
    try (events) {
      Iterator<String> lines = events.iterator();
      SseReader.read(
          lines,
          event -> {
            if (event.type().equals("episode")) {
              numbers.add(Json.parse(event.data(), Episode.newBuilder()).getNumber());
            }
            return true;
          });
    }
    return numbers;
  }

  private static List<Integer> numbers(int first, int last) {
    return IntStream.rangeClosed(first, last).boxed().toList();
  }
}
