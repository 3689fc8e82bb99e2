package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionState;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Follows a session to its end over the event stream. A stream that breaks, or of which nothing
 * comes any more, is opened again after the last episode seen, so the listener gets every episode
 * once and in order.
 */
final class SessionWatch {
  /** What happens in a session. */
  interface Listener {
    /** The session as it stands at the start, and after each change of its etag. */
    void session(Session session);

    void episode(Episode episode);

    /** How far the final fine-tuning is. */
    default void tuning(FineTuneProgress progress) {}
  }

  private static final Set<SessionState> FINAL =
      Set.of(
          SessionState.SUCCEEDED,
          SessionState.STOPPED,
          SessionState.CANCELLED,
          SessionState.FAILED);

  /** A service that restarts is back within this many tries, one a second. */
  private static final int TRIES = 60;

  private final GatewayClient client;
  private final String id;
  private final Listener listener;
  private int last;
  private boolean ended;
  private int failures;

  SessionWatch(GatewayClient client, String id, int after, Listener listener) {
    this.client = client;
    this.id = id;
    this.listener = listener;
    this.last = after;
  }

  static boolean isFinal(SessionState state) {
    return FINAL.contains(state);
  }

  /** Blocks until the session has ended; answers it as it ended. */
  Session follow() {
    while (!ended) {
      try (Stream<String> lines = client.events(id, last)) {
        SseReader.read(lines.iterator(), this::handle);
        ended = ended || (isFinal(client.session(id).getState()) && caughtUp());
        if (!ended) {
          pause(new HaqException(Reason.UNAVAILABLE, "the event stream ends early; try again"));
        }
      } catch (UncheckedIOException e) {
        pause(new HaqException(Reason.UNAVAILABLE, "the event stream broke; try again", e));
      } catch (HaqException e) {
        if (e.reason() != Reason.UNAVAILABLE && e.reason() != Reason.DEADLINE_EXCEEDED) {
          throw e;
        }
        pause(e);
      }
    }
    return client.session(id);
  }

  /** Whether all that the session stored has been handed over. */
  private boolean caughtUp() {
    return client.session(id).getEpisodesDone() <= last;
  }

  private boolean handle(SseReader.Event event) {
    failures = 0;
    switch (event.type()) {
      case "snapshot" -> listener.session(session(event));
      case "episode" -> {
        Episode episode = Json.parse(event.data(), Episode.newBuilder()).build();
        if (episode.getNumber() > last) {
          last = episode.getNumber();
          listener.episode(episode);
        }
      }
      case "state" -> {
        Session session = session(event);
        listener.session(session);
        ended = isFinal(session.getState()) && session.getEpisodesDone() <= last;
      }
      case "tuning" ->
          listener.tuning(Json.parse(event.data(), FineTuneProgress.newBuilder()).build());
      default -> {
        // A newer service may tell more than this command knows.
      }
    }
    return !ended;
  }

  private static Session session(SseReader.Event event) {
    return Json.parse(event.data(), Session.newBuilder()).build();
  }

  private void pause(HaqException cause) {
    failures++;
    if (failures >= TRIES) {
      throw cause;
    }
    try {
      TimeUnit.SECONDS.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HaqException(Reason.CANCELLED, "interrupted", e);
    }
  }
}
