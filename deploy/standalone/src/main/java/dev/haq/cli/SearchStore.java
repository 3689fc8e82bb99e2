package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.ExtendSessionRequest;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionSpec;
import dev.haq.proto.agent.v1.SessionState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The session store that a search without a server keeps in its own output folder while it runs: an
 * interrupted search goes on when it is started again with the same specification, another one or a
 * finished one starts anew.
 */
final class SearchStore {
  /** In the output folder. */
  static final String FOLDER = ".haq-session";

  /** The specification as the command made it; the service's copy has its defaults filled in. */
  private static final String SPEC = "spec.json";

  /** The id of the session that searches for it; nothing before that is created. */
  private static final String SESSION = "session.txt";

  private final Path folder;
  private final FolderLock lock;

  /** What stood before this run, so that a refused one leaves nothing behind. */
  private final boolean folderExisted;

  private final boolean outExisted;
  private boolean hasSession;
  private boolean finished;

  private SearchStore(Path folder, FolderLock lock, boolean folderExisted, boolean outExisted) {
    this.folder = folder;
    this.lock = lock;
    this.folderExisted = folderExisted;
    this.outExisted = outExisted;
  }

  static SearchStore in(Path out) {
    Path folder = out.resolve(FOLDER);
    boolean folderExisted = Files.exists(folder);
    boolean outExisted = Files.exists(out);
    return new SearchStore(folder, lock(out), folderExisted, outExisted);
  }

  /** Refuses a folder that cannot be written to, or that another search writes to. */
  static FolderLock lock(Path out) {
    OutFile.checkFolder(out);
    try {
      return FolderLock.on(out.resolve(FOLDER))
          .orElseThrow(
              () ->
                  HaqException.invalid(
                      "--out %s: another search writes there: give another --out, or wait for its"
                          + " end",
                      out));
    } catch (IOException e) {
      throw HaqException.invalid(
          "--out %s: cannot be created as a folder: %s", out, FileFault.why(e));
    }
  }

  Path folder() {
    return folder;
  }

  /**
   * The session to continue: the one of this very specification, if it was not reported yet. Where
   * it was stopped, and a second Ctrl-C or a failure kept it from being reported, it is given its
   * episodes again. Others, which the services have taken up again, are ended.
   */
  Optional<Session> unfinished(GatewayClient client, SessionSpec spec) {
    boolean same = Json.print(spec).equals(read(folder.resolve(SPEC)));
    Path known = folder.resolve(SESSION);
    boolean any = !Files.exists(known); // an earlier version did not say which
    String id = read(known);
    Optional<Session> found = Optional.empty();
    for (Session session : client.sessions()) {
      boolean own = same && (any || session.getId().equals(id));
      if (own && isToBeContinued(session) && found.isEmpty()) {
        found = Optional.of(goingOn(client, session, spec));
      } else if (!SessionWatch.isFinal(session.getState())) {
        client.act(session.getId(), "cancel");
      }
    }
    return found;
  }

  /** Whether there is more to come of a session, or something to report. */
  static boolean isToBeContinued(Session session) {
    boolean failed =
        session.getState() == SessionState.FAILED || session.getState() == SessionState.CANCELLED;
    return !failed && (session.hasBest() || !SessionWatch.isFinal(session.getState()));
  }

  /** What cannot go on any more is left to be reported. */
  private static Session goingOn(GatewayClient client, Session session, SessionSpec spec) {
    boolean complete =
        session.getEpisodesDone() >= spec.getEpisodes() && !spec.hasFinalFineTuning();
    if (session.getState() != SessionState.STOPPED || complete) {
      return session;
    }
    ExtendSessionRequest.Builder again =
        ExtendSessionRequest.newBuilder().setId(session.getId()).setEpisodes(spec.getEpisodes());
    if (spec.hasEarlyEnds()) {
      again.setEarlyEnds(spec.getEarlyEnds());
    }
    try {
      return client.extend(again.build());
    } catch (HaqException e) {
      if (e.reason() == Reason.INVALID_ARGUMENT) {
        return session; // it has come to one of its early ends, or was fine-tuned
      }
      throw e;
    }
  }

  /**
   * Remembers what is searched for, so that an interrupted search can tell.
   *
   * @param unfinished the session that goes on, if any
   */
  void begin(SessionSpec spec, Optional<Session> unfinished) {
    OutFile.write(folder.resolve(SESSION), unfinished.map(Session::getId).orElse(""));
    OutFile.write(folder.resolve(SPEC), Json.print(spec));
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      return "";
    }
  }

  /** There is a session in the store: it is kept until its end was reported. */
  void has(Session session) {
    hasSession = true;
    OutFile.write(folder.resolve(SESSION), session.getId());
  }

  /** The search came to an end, so nothing is left to continue. */
  void finished() {
    finished = true;
  }

  /** To be called after the services have stopped. */
  void close() {
    boolean refused = !folderExisted && !hasSession;
    try (lock) {
      if (finished || refused) {
        remove(refused);
      }
    }
  }

  private void remove(boolean refused) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
        Files.deleteIfExists(file);
      }
      if (refused && !outExisted) {
        Files.deleteIfExists(folder.getParent());
      }
    } catch (IOException e) {
      throw new HaqException(Reason.INTERNAL, "cannot remove " + folder, e);
    }
  }
}
