package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.agents.Agents;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.HaqException;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class SearchTest {
  private static final int EPISODES = 120;
  private static final double RATIO = 0.6;

  /**
   * The paper's settings for a short search: smaller networks, and noise that has faded after 120
   * episodes as the paper's has after 600.
   */
  private static final DdpgSettings SHORT =
      new DdpgSettings(128, 96, 1e-4, 1e-3, 0.01, 1, 64, 128, 20, 0.5, 0.96, 1, 0.5);

  private final SyntheticProblem problem = new SyntheticProblem(9, 1);

  @Test
  void ddpgBeatsEveryUniformPolicyAndRandomSearch() {
    double ddpg = best(run(problem, Agents.DDPG, EPISODES));
    double random = best(run(problem, Agents.RANDOM, EPISODES));
    double uniform = bestUniform();
    assertTrue(ddpg > uniform, "top-1: ddpg " + ddpg + ", uniform " + uniform);
    assertTrue(ddpg > random, "top-1: ddpg " + ddpg + ", random " + random);
  }

  @Test
  void everyEpisodeMeetsTheBudgetAndAddsUp() {
    SearchSettings settings = problem.settings(RATIO, 1, 30);
    for (EpisodeResult episode : run(problem, Agents.RANDOM, 30)) {
      assertTrue(episode.cost().latencySeconds() <= settings.mainBudget().budget().limit());
      assertTrue(episode.costRatio() <= RATIO);
      assertEquals(problem.simulate(episode.policy()), episode.cost());
      assertEquals(
          0.1 * (episode.accuracy().top1() - problem.baseline().top1()), episode.reward(), 1e-12);
    }
    assertEquals(30, problem.evaluations());
  }

  @Test
  void onlyTheWarmUpIsMarkedAsSuch() {
    List<EpisodeResult> episodes = run(problem, Agents.DDPG, 22);
    for (EpisodeResult episode : episodes) {
      assertEquals(episode.number() <= 20, episode.warmup());
    }
  }

  @Test
  void aSearchCutShortAndResumedEqualsAnUndisturbedOne() {
    List<EpisodeResult> undisturbed = run(problem, Agents.DDPG, 26);

    SearchSettings settings = problem.settings(RATIO, 1, 26);
    Agent first = agent(Agents.DDPG, settings);
    List<EpisodeResult> episodes =
        run(new Search(new SearchSpace(settings), problem, problem, first), 1, 23);
    byte[] checkpoint = first.snapshot();
    Agent second = agent(Agents.DDPG, settings);
    second.restore(checkpoint);
    episodes.addAll(run(new Search(new SearchSpace(settings), problem, problem, second), 24, 26));

    assertEquals(summaries(undisturbed), summaries(episodes));
  }

  @Test
  void anEpisodeThatFailedCanBeRunAgain() {
    List<EpisodeResult> undisturbed = run(problem, Agents.DDPG, 23);

    SearchSettings settings = problem.settings(RATIO, 1, 23);
    Failing evaluator = new Failing(22);
    Search search =
        new Search(new SearchSpace(settings), problem, evaluator, agent(Agents.DDPG, settings));
    List<EpisodeResult> episodes = run(search, 1, 21);
    assertThrows(HaqException.class, () -> search.episode(22));
    episodes.addAll(run(search, 22, 23));

    assertEquals(summaries(undisturbed), summaries(episodes));
  }

  @Test
  void anUnreachableBudgetIsRefusedBeforeTheFirstEpisode() {
    SearchSettings settings = problem.settings(0.01, 1, 1);
    HaqException e = assertThrows(HaqException.class, () -> new SearchSpace(settings));
    assertEquals(Reason.BUDGET_INFEASIBLE, e.reason());
  }

  @Test
  void aSimulatorThatContradictsItsTableIsNotBelieved() {
    HardwareCosts contradicting =
        new HardwareCosts() {
          @Override
          public CostTable table(Resource resource) {
            return problem.table();
          }

          @Override
          public Cost simulate(Policy policy) {
            double seconds = problem.simulate(policy).latencySeconds() * 1.01;
            return new Cost(0, seconds, OptionalDouble.empty(), 0);
          }
        };
    SearchSettings settings = problem.settings(RATIO, 1, 1);
    Search search =
        new Search(
            new SearchSpace(settings), contradicting, problem, agent(Agents.RANDOM, settings));
    assertThrows(IllegalStateException.class, () -> search.episode(1));
  }

  /** Answers as the problem does, but does not answer one call. */
  private final class Failing implements AccuracyEvaluator {
    private int callsUntilFailure;

    Failing(int call) {
      callsUntilFailure = call;
    }

    @Override
    public Accuracy baseline() {
      return problem.baseline();
    }

    @Override
    public Accuracy evaluate(Policy policy) {
      if (--callsUntilFailure == 0) {
        throw new HaqException(Reason.UNAVAILABLE, "the quantizer does not answer");
      }
      return problem.evaluate(policy);
    }
  }

  private record Summary(int number, Policy policy, double reward) {}

  private static List<Summary> summaries(List<EpisodeResult> episodes) {
    return episodes.stream().map(e -> new Summary(e.number(), e.policy(), e.reward())).toList();
  }

  private static double best(List<EpisodeResult> episodes) {
    return episodes.stream().mapToDouble(e -> e.accuracy().top1()).max().orElseThrow();
  }

  private double bestUniform() {
    SearchSettings settings = problem.settings(RATIO, 1, 1);
    Decisions decisions = new Decisions(settings);
    ActionSpace actions = new ActionSpace(BitChoices.PAPER);
    return BitChoices.PAPER.bits().stream()
        .map(bits -> decisions.uniform(actions.action(BitWidth.of(bits))))
        .filter(policy -> problem.table().cost(policy) <= settings.mainBudget().budget().limit())
        .mapToDouble(policy -> problem.evaluate(policy).top1())
        .max()
        .orElseThrow();
  }

  private static List<EpisodeResult> run(SyntheticProblem problem, String agent, int episodes) {
    SearchSettings settings = problem.settings(RATIO, 1, episodes);
    Search search =
        new Search(new SearchSpace(settings), problem, problem, agent(agent, problem, settings));
    return run(search, 1, episodes);
  }

  private static List<EpisodeResult> run(Search search, int from, int to) {
    List<EpisodeResult> episodes = new ArrayList<>();
    for (int n = from; n <= to; n++) {
      episodes.add(search.episode(n));
    }
    return episodes;
  }

  private Agent agent(String name, SearchSettings settings) {
    return agent(name, problem, settings);
  }

  private static Agent agent(String name, SyntheticProblem problem, SearchSettings settings) {
    return Agents.create(name, new SearchSpace(settings), problem, SHORT);
  }
}
