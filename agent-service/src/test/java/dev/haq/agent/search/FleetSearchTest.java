package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.agents.Agents;
import dev.haq.agent.ddpg.DdpgSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several targets in one search: here the same hardware with different budgets. */
class FleetSearchTest {
  private static final int EPISODES = 36;
  private static final DdpgSettings SMALL =
      new DdpgSettings(16, 12, 1e-3, 1e-3, 0.01, 1, 16, 64, 3, 0.5, 0.97, 1, 0.5);

  private final SyntheticProblem problem = new SyntheticProblem(4, 1);

  @ParameterizedTest
  @ValueSource(strings = {"auto", "ddpg", "dp", "evolution", "greedy", "random", "uniform"})
  void cutShortAndResumedItEqualsTheUndisturbedSearch(String agent) {
    for (int size : new int[] {1, 3}) {
      List<String> undisturbed = run(window(agent, size), 1, EPISODES);
      for (int cut : new int[] {1, 14, EPISODES - 1}) {
        EpisodeWindow first = window(agent, size);
        List<String> episodes = run(first, 1, cut);
        EpisodeWindow second = window(agent, size);
        second.restore(cut, first.snapshot());
        episodes.addAll(run(second, cut + 1, EPISODES));
        assertEquals(undisturbed, episodes, agent + ", window " + size + ", cut after " + cut);
      }
    }
  }

  @Test
  void theSnapshotOfOneAgentIsItsOwn() {
    SearchSpace space = space(0.5, 1);
    Agent agent = Agents.create(Agents.EVOLUTION, space, problem, SMALL);
    Search search = new Search(space, problem, problem, agent);
    search.episode(1);
    assertArrayEquals(agent.snapshot(), search.agentSnapshot());
  }

  @Test
  void agentsLearnFromWhatOthersFound() {
    SearchSpace loose = space(0.6, 1);
    SearchSpace tight = space(0.35, 2);
    for (String name : List.of(Agents.AUTO, Agents.EVOLUTION)) {
      Agent watching = Agents.create(name, loose, problem, SMALL);
      byte[] before = watching.snapshot();
      Search search =
          new Search(
              List.of(new SearchTarget(problem, loose), new SearchTarget(problem, tight)),
              List.of(
                  new Proposer(tight, Agents.create(name, tight, problem, SMALL)),
                  new Proposer(loose, watching)),
              problem);
      search.episode(1);
      assertTrue(!java.util.Arrays.equals(before, watching.snapshot()), name);
    }
  }

  @Test
  void sensitivitiesOfAllWidthsAreMeasuredOnce() {
    SharedSensitivities shared =
        new SharedSensitivities(problem, List.of(space(0.6, 1), space(0.35, 2)));
    Agents.create(Agents.DP, space(0.6, 1), shared, SMALL);
    Agents.create(Agents.GREEDY, space(0.35, 2), shared, SMALL);
    assertEquals(1, problem.measurements());
  }

  private SearchSpace space(double ratio, long seed) {
    return new SearchSpace(problem.settings(ratio, seed, EPISODES / 2, Reward.KL_DIVERGENCE));
  }

  private EpisodeWindow window(String name, int size) {
    List<SearchTarget> targets = new ArrayList<>();
    List<Proposer> proposers = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      SearchSpace space = space(i == 0 ? 0.6 : 0.4, 1 + i);
      targets.add(new SearchTarget(problem, space));
      proposers.add(new Proposer(space, Agents.create(name, space, problem, SMALL)));
    }
    return new EpisodeWindow(
        new Search(targets, proposers, problem), size, (Executor) Runnable::run);
  }

  private static List<String> run(EpisodeWindow window, int from, int to) {
    List<String> episodes = new ArrayList<>();
    for (int n = from; n <= to; n++) {
      EpisodeResult result = window.next(EPISODES);
      assertTrue(result.isEligible((n - 1) % 2), "proposed beyond its budget");
      episodes.add(n + " " + result.policy() + " " + result.reward() + " " + result.costs());
    }
    return episodes;
  }
}
