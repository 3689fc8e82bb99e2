package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.CreateSessionRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * Which session a search with {@code --server} follows, kept in its output folder until its end was
 * reported: the same command goes on with the same session, whatever became of the first one. One
 * search at a time writes to the folder.
 */
final class ServerSearch implements AutoCloseable {
  /** {@code {"server", "request_id", "session", "spec"}}; no session before it is created. */
  private static final String FILE = "server.json";

  private final Path file;
  private final Terminal terminal;
  private final FolderLock lock;
  private final boolean outExisted;
  private ObjectNode kept = Json.object();

  private ServerSearch(Path file, Terminal terminal, FolderLock lock, boolean outExisted) {
    this.file = file;
    this.terminal = terminal;
    this.lock = lock;
    this.outExisted = outExisted;
  }

  static ServerSearch in(Path out, Terminal terminal) {
    boolean outExisted = Files.exists(out);
    return new ServerSearch(
        out.resolve(SearchStore.FOLDER).resolve(FILE), terminal, SearchStore.lock(out), outExisted);
  }

  /**
   * The session to continue: the one that was begun for this very specification on this server and
   * was not reported yet. One that failed, was cancelled or ended before it had found anything
   * starts anew; another specification's goes on at its server, for it may be watched there.
   */
  Optional<Session> unfinished(GatewayClient client, SessionSpec spec) {
    JsonNode before = read();
    if (before.isEmpty()) {
      return Optional.empty();
    }
    String id = before.path("session").asText("");
    if (!before.path("server").asText().equals(client.base().toString())
        || !spec(before).equals(spec)) {
      if (!id.isEmpty()) {
        terminal.note("an earlier search was left: " + advice(id, before.path("server").asText()));
      }
      return Optional.empty();
    }
    Optional<Session> found = find(client, spec, before);
    found.ifPresent(
        session -> {
          kept = (ObjectNode) before;
          has(session);
        });
    return found;
  }

  private Optional<Session> find(GatewayClient client, SessionSpec spec, JsonNode before) {
    String id = before.path("session").asText("");
    Session session;
    try {
      // Where the answer of the creation was lost, the same request is answered again.
      session =
          id.isEmpty()
              ? created(client, spec, before.path("request_id").asText())
              : client.session(id);
    } catch (HaqException e) {
      if (e.reason() == Reason.UNKNOWN_SESSION) {
        return Optional.empty();
      }
      throw e;
    }
    return Optional.of(session).filter(SearchStore::isToBeContinued);
  }

  /** Creates the session, so that it is found again even if its answer does not arrive. */
  Session create(GatewayClient client, SessionSpec spec) {
    String requestId = UUID.randomUUID().toString();
    kept = Json.object().put("server", client.base().toString()).put("request_id", requestId);
    kept.set("spec", Json.tree(spec));
    write();
    Session session = created(client, spec, requestId);
    has(session);
    return session;
  }

  private Session created(GatewayClient client, SessionSpec spec, String requestId) {
    try {
      return client.createSession(
          CreateSessionRequest.newBuilder().setSpec(spec).setRequestId(requestId).build());
    } catch (HaqException e) {
      if (isRefusal(e.reason())) {
        finished();
      }
      throw e;
    }
  }

  /** Whether no session was made; after any other failure one may be there all the same. */
  private static boolean isRefusal(Reason reason) {
    return switch (reason.kind()) {
      case CALLER, STATE, MISSING, CONFLICT, EXHAUSTED -> true;
      case CHANGED, CANCELLED, DEADLINE, UNAVAILABLE, FAULT -> false;
    };
  }

  private void has(Session session) {
    kept.put("session", session.getId());
    write();
    terminal.note(advice(session.getId(), kept.get("server").asText()));
  }

  private static String advice(String id, String server) {
    return "session %s: follow it with 'haq watch %s --server %s'".formatted(id, id, server);
  }

  /** A failure with what becomes of the session, where there is one that goes on. */
  HaqException explained(HaqException failure) {
    if (failure.reason() != Reason.UNAVAILABLE || !kept.has("session")) {
      return failure;
    }
    return new HaqException(
        failure.reason(),
        "%s; the same command goes on; %s"
            .formatted(
                failure.getMessage(),
                advice(kept.get("session").asText(), kept.get("server").asText())),
        failure);
  }

  /** The search came to an end, so nothing is left to continue. */
  void finished() {
    delete(file);
  }

  /** Gives the folder up, and leaves none behind that holds nothing. */
  @Override
  public void close() {
    try (lock) {
      if (!Files.exists(file)) {
        delete(file.resolveSibling(FolderLock.FILE));
        delete(file.getParent());
        if (!outExisted) {
          delete(file.getParent().getParent());
        }
      }
    }
  }

  private JsonNode read() {
    try {
      return Files.exists(file) ? Json.tree(Files.readString(file)) : Json.object();
    } catch (IOException | HaqException e) {
      return Json.object(); // cut off while it was written
    }
  }

  private static SessionSpec spec(JsonNode kept) {
    try {
      return Json.parse(kept.path("spec").toString(), SessionSpec.newBuilder()).build();
    } catch (HaqException e) {
      return SessionSpec.getDefaultInstance();
    }
  }

  private void write() {
    OutFile.write(file, Json.text(kept) + "\n");
  }

  private static void delete(Path path) {
    try {
      Files.deleteIfExists(path);
    } catch (DirectoryNotEmptyException e) {
      // A search without a server keeps its store there.
    } catch (IOException e) {
      throw new HaqException(Reason.INTERNAL, "cannot remove " + path, e);
    }
  }
}
