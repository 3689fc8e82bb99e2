package dev.haq.agent.session;

import dev.haq.agent.search.Episode;
import dev.haq.agent.search.ParetoFront;
import dev.haq.agent.search.SessionStore;
import dev.haq.model.Resource;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The fronts of the sessions lately asked for, each kept up with its episode log: what was read
 * once is not read again, so an answer takes no longer for a long session than for a short one.
 * Whoever writes the log, this process or another, makes no difference.
 */
public final class SessionFronts {
  private static final int SESSIONS = 256;
  private static final int PAGE = 1000;

  private final SessionStore store;
  private final Map<String, Fronts> latest =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Fronts> eldest) {
          return size() > SESSIONS;
        }
      };

  SessionFronts(SessionStore store) {
    this.store = store;
  }

  /** One session's, as far as it was read. */
  private static final class Fronts {
    private final Map<Resource, ParetoFront> byResource = new EnumMap<>(Resource.class);
    private int episodes;

    private void add(Episode episode) {
      for (Resource resource : Resource.values()) {
        boolean modelled =
            resource != Resource.ENERGY || episode.result().cost().energyJoules().isPresent();
        if (modelled) {
          byResource.computeIfAbsent(resource, ParetoFront::new).add(episode);
        }
      }
      episodes = episode.number();
    }
  }

  /**
   * A session's front of each resource that its target models.
   *
   * @param episodes that it was made of
   */
  public record Snapshot(int episodes, Map<Resource, List<Episode>> fronts) {}

  /** Of a session that exists. */
  Snapshot of(String id) {
    Fronts fronts;
    synchronized (latest) {
      fronts = latest.computeIfAbsent(id, unread -> new Fronts());
    }
    synchronized (fronts) {
      List<Episode> further;
      do {
        further = store.episodes(id, fronts.episodes, PAGE);
        further.forEach(fronts::add);
      } while (further.size() == PAGE);
      Map<Resource, List<Episode>> points = new EnumMap<>(Resource.class);
      fronts.byResource.forEach((resource, front) -> points.put(resource, front.episodes()));
      return new Snapshot(fronts.episodes, points);
    }
  }
}
