package dev.haq.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A search on a server whose command is cut off, as by {@code kill -9}, and given again. */
class ServerSearchTest {
  private static final Pattern SESSION = Pattern.compile("^session (\\S+): follow it with 'haq");
  private static final Pattern EPISODE = Pattern.compile("^episode +(\\d+)/");

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;
  private static GatewayClient client;

  @BeforeAll
  static void connect() {
    client = services.client();
  }

  @Test
  void theSameCommandGoesOnWithItsSessionAndForgetsItWhenItWasReported() throws Exception {
    Path out = folder.resolve("cut-off");
    List<String> command = command(out, "120");
    String id;
    Child first = Child.haq(command);
    try {
      id = first.await(SESSION);
      first.await(EPISODE);
    } finally {
      first.kill();
    }
    client.act(id, "pause"); // it must not be over when the second command asks
    Captured second = Captured.run(command).done();
    assertTrue(second.err().contains("session " + id + ": follow it with 'haq watch " + id));
    assertTrue(second.err().contains("continuing after episode"), second.err());
    assertEquals(120, second.episodes().size());
    assertEquals(List.of(id), sessionsOf("120"));
    assertTrue(Files.exists(out.resolve("policy.json")));
    assertFalse(Files.exists(out.resolve(SearchStore.FOLDER)));
    Captured.run(command).done();
    assertEquals(2, sessionsOf("120").size(), "a reported search starts anew");
  }

  @Test
  void otherOptionsStartASessionOfTheirOwnAndNameTheOneThatIsLeft() throws Exception {
    Path out = folder.resolve("other");
    String id;
    Child first = Child.haq(command(out, "41000"));
    try {
      id = first.await(SESSION);
    } finally {
      first.kill();
    }
    Captured second = Captured.run(command(out, "2")).done();
    assertTrue(second.err().contains("an earlier search was left: session " + id), second.err());
    assertEquals(List.of(id), sessionsOf("41000"));
    client.act(id, "cancel");
  }

  @Test
  void aSessionWhoseCreationWasNotAnsweredIsFoundByItsRequest() throws Exception {
    Path out = folder.resolve("unanswered");
    Terminal terminal = Terminal.system(true);
    SessionSpec spec = Json.parse(SPEC, SessionSpec.newBuilder()).build();
    Session created;
    try (ServerSearch first = ServerSearch.in(out, terminal)) {
      created = first.create(client, spec);
    }
    Path file = out.resolve(SearchStore.FOLDER).resolve("server.json");
    var kept = (com.fasterxml.jackson.databind.node.ObjectNode) Json.tree(Files.readString(file));
    kept.remove("session");
    Files.writeString(file, Json.text(kept));
    try (ServerSearch second = ServerSearch.in(out, terminal)) {
      Session found = second.unfinished(client, spec).orElseThrow();
      assertEquals(created.getId(), found.getId());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "504, DEADLINE_EXCEEDED, true",
    "500, INTERNAL, true",
    "503, UNAVAILABLE, true",
    "400, INVALID_ARGUMENT, false",
    "422, BUDGET_INFEASIBLE, false",
    "429, BUSY, false",
  })
  void onlyARefusalSaysThatThereIsNoSession(int status, Reason reason, boolean kept)
      throws Exception {
    List<String> asked = new CopyOnWriteArrayList<>();
    HttpServer gateway =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    gateway.createContext(
        "/v1/sessions",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          asked.add(Json.tree(new String(body, UTF_8)).path("request_id").asText());
          String problem = "{\"reason\": \"%s\", \"detail\": \"because\"}".formatted(reason);
          exchange.sendResponseHeaders(status, problem.length());
          exchange.getResponseBody().write(problem.getBytes(UTF_8));
          exchange.close();
        });
    gateway.start();
    try {
      GatewayClient client =
          new GatewayClient(URI.create("http://127.0.0.1:" + gateway.getAddress().getPort()));
      SessionSpec spec = Json.parse(SPEC, SessionSpec.newBuilder()).build();
      Path out = folder.resolve(reason.name());
      for (int run = 0; run < 2; run++) {
        try (ServerSearch search = ServerSearch.in(out, Terminal.system(true))) {
          HaqException failure =
              assertThrows(
                  HaqException.class,
                  () ->
                      search.unfinished(client, spec).orElseGet(() -> search.create(client, spec)));
          assertEquals(reason, failure.reason());
        }
        assertEquals(kept, Files.exists(out.resolve(SearchStore.FOLDER).resolve("server.json")));
      }
    } finally {
      gateway.stop(0);
    }
    assertEquals(kept ? 1 : 2, Set.copyOf(asked).size(), "the same request asks for one session");
  }

  @Test
  void aLostConnectionSaysWhichSessionGoesOn() {
    try (ServerSearch search = ServerSearch.in(folder.resolve("lost"), Terminal.system(true))) {
      Session session = search.create(client, Json.parse(SPEC, SessionSpec.newBuilder()).build());
      HaqException lost = new HaqException(Reason.UNAVAILABLE, "the event stream broke");
      String told = search.explained(lost).getMessage();
      assertTrue(told.startsWith("the event stream broke; the same command goes on; "), told);
      assertTrue(
          told.endsWith("'haq watch " + session.getId() + " --server " + client.base() + "'"),
          told);
    }
  }

  @Test
  void aSecondSearchIntoTheFolderAndAFolderThatCannotBeAreRefusedBeforeAnythingIsSent()
      throws Exception {
    Path out = folder.resolve("taken");
    try (ServerSearch first = ServerSearch.in(out, Terminal.system(true))) {
      Captured.run(command(out, "42")).assertRefused("another search writes there");
      first.finished();
    }
    assertFalse(Files.exists(out), "nothing was begun, so nothing is left");
    Path file = Files.writeString(folder.resolve("file"), "");
    Captured.run(command(file.resolve("out"), "42")).assertRefused(file + " is not a folder");
    assertEquals(List.of(), sessionsOf("42"));
  }

  @Test
  void aRefusedSearchLeavesNothingBehind() {
    Path out = folder.resolve("refused");
    List<String> command = new ArrayList<>(command(out, "3"));
    command.set(command.indexOf("0.6"), "0.01");
    Captured.run(command).assertRefused("cannot be met");
    assertFalse(Files.exists(out));
  }

  private static final String SPEC =
      """
      {"model": "builtin:shapes", "data": {"dataset": "builtin:shapes", "max_images": 32},
       "target": {"name": "bismo-edge"}, "budget": {"resource": "LATENCY", "ratio": 0.6},
       "episodes": 2, "agent": "random"}
      """;

  /** Sessions with so many episodes, which no other test has. */
  private static List<String> sessionsOf(String episodes) {
    return client.sessions().stream()
        .filter(session -> session.getEpisodesTotal() == Integer.parseInt(episodes))
        .map(Session::getId)
        .toList();
  }

  private static List<String> command(Path out, String episodes) {
    return Words.of(
        """
        search --server %s --model builtin:shapes --data builtin:shapes --images 32
        --target bismo-edge --budget 0.6 --agent random --episodes %s --out %s
        """,
        services.url(), episodes, out);
  }
}
