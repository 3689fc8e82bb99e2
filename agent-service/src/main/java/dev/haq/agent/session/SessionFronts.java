package dev.haq.agent.session;

import dev.haq.agent.search.Episode;
import dev.haq.agent.search.ParetoFront;
import dev.haq.agent.search.SessionStore;
import dev.haq.agent.search.TargetCost;
import dev.haq.model.Cost;
import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
    private final List<Map<Resource, ParetoFront>> byTarget = new ArrayList<>();
    private int episodes;

    private void add(Episode episode) {
      List<Optional<TargetCost>> costs = episode.result().costs();
      for (int target = 0; target < costs.size(); target++) {
        if (byTarget.size() == target) {
          byTarget.add(new EnumMap<>(Resource.class));
        }
        if (costs.get(target).isPresent()) {
          add(episode, target, costs.get(target).get().cost());
        }
      }
      episodes = episode.number();
    }

    private void add(Episode episode, int target, Cost cost) {
      for (Resource resource : Resource.values()) {
        boolean modelled = resource != Resource.ENERGY || cost.energyJoules().isPresent();
        if (modelled) {
          byTarget
              .get(target)
              .computeIfAbsent(resource, unseen -> new ParetoFront(target, unseen))
              .add(episode);
        }
      }
    }
  }

  /**
   * A session's front of each resource that each of its targets models.
   *
   * @param episodes that they were made of
   * @param byTarget in the order of the session's targets; empty before the first episode
   */
  public record Snapshot(int episodes, List<Map<Resource, List<Episode>>> byTarget) {}

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
      List<Map<Resource, List<Episode>>> byTarget = new ArrayList<>();
      for (Map<Resource, ParetoFront> byResource : fronts.byTarget) {
        Map<Resource, List<Episode>> points = new EnumMap<>(Resource.class);
        byResource.forEach((resource, front) -> points.put(resource, front.episodes()));
        byTarget.add(points);
      }
      return new Snapshot(fronts.episodes, byTarget);
    }
  }
}
