package dev.haq.agent.comparison;

import dev.haq.agent.search.ParetoFront;
import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Score;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.SessionStore;
import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The fronts of the sessions lately asked for, each kept up with its episode log: what was read
 * once is not read again, so an answer takes no longer for a long session than for a short one. Of
 * the episodes only the scores are read, and whole those alone that are on a front. Whoever writes
 * the log, this process or another, makes no difference.
 */
public final class SessionFronts {
  private static final int SESSIONS = 256;

  /** Scores read at a time, about a hundred bytes each: waiting for the database costs most. */
  private static final int SCORES = 10_000;

  /** Whole episodes read at a time. */
  private static final int EPISODES = 1_000;

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

  /** The two fronts of a resource. */
  private record Fronted(ParetoFront byReward, ParetoFront byTop1) {
    Fronted() {
      this(new ParetoFront(), new ParetoFront());
    }

    void add(Score score, double cost) {
      byReward.add(score.number(), cost, score.reward());
      byTop1.add(score.number(), cost, score.top1());
    }
  }

  /** One session's, as far as it was read. */
  private static final class Fronts {
    private final List<Map<Resource, Fronted>> byTarget = new ArrayList<>();

    /** The episodes on any of the fronts, by number, as far as they were read. */
    private final Map<Integer, Episode> points = new HashMap<>();

    private int episodes;

    private void add(Score score) {
      for (int target = 0; target < score.costs().size(); target++) {
        if (byTarget.size() == target) {
          byTarget.add(new EnumMap<>(Resource.class));
        }
        Map<Resource, Fronted> fronts = byTarget.get(target);
        score
            .costs()
            .get(target)
            .forEach(
                (resource, cost) ->
                    fronts.computeIfAbsent(resource, unseen -> new Fronted()).add(score, cost));
      }
      episodes = score.number();
    }

    private Set<Integer> onAny() {
      Set<Integer> numbers = new TreeSet<>();
      for (Map<Resource, Fronted> fronts : byTarget) {
        for (Fronted front : fronts.values()) {
          numbers.addAll(front.byReward().episodes());
          numbers.addAll(front.byTop1().episodes());
        }
      }
      return numbers;
    }

    private Snapshot snapshot() {
      List<Map<Resource, Points>> copies = new ArrayList<>();
      for (Map<Resource, Fronted> fronts : byTarget) {
        Map<Resource, Points> copy = new EnumMap<>(Resource.class);
        fronts.forEach(
            (resource, front) ->
                copy.put(resource, new Points(whole(front.byReward()), whole(front.byTop1()))));
        copies.add(copy);
      }
      return new Snapshot(episodes, copies);
    }

    private List<Episode> whole(ParetoFront front) {
      return front.episodes().stream()
          .filter(points::containsKey) // not where the session was just deleted
          .map(points::get)
          .toList();
    }
  }

  /**
   * What no other episode beats in cost and in the one or the other, cheapest first.
   *
   * @param byReward the reward rises from each to the next
   * @param byTop1 the top-1 accuracy does
   */
  public record Points(List<Episode> byReward, List<Episode> byTop1) {}

  /**
   * A session's fronts of each resource that each of its targets models.
   *
   * @param episodes that they were made of
   * @param byTarget in the order of the session's targets; empty before the first episode
   */
  public record Snapshot(int episodes, List<Map<Resource, Points>> byTarget) {}

  /** Of a session that exists, as far as the log goes by now. */
  Snapshot of(SessionRecord session) {
    String id = session.id();
    Fronts fronts;
    synchronized (latest) {
      fronts = latest.computeIfAbsent(id, unread -> new Fronts());
    }
    synchronized (fronts) {
      List<Score> further;
      do {
        further = store.scores(session, fronts.episodes, SCORES);
        further.forEach(fronts::add);
      } while (further.size() == SCORES);
      Set<Integer> numbers = fronts.onAny();
      fronts.points.keySet().retainAll(numbers);
      numbers.removeAll(fronts.points.keySet());
      read(id, new ArrayList<>(numbers), fronts.points);
      return fronts.snapshot();
    }
  }

  private void read(String id, List<Integer> numbers, Map<Integer, Episode> points) {
    for (int from = 0; from < numbers.size(); from += EPISODES) {
      store
          .episodes(id, numbers.subList(from, Math.min(from + EPISODES, numbers.size())))
          .forEach(episode -> points.put(episode.number(), episode));
    }
  }
}
