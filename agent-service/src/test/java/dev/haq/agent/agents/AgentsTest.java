package dev.haq.agent.agents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.Agent;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.EpisodeWindow;
import dev.haq.agent.search.LayerWidths;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.Search;
import dev.haq.agent.search.SearchSettings;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.agent.search.Transition;
import dev.haq.model.BitChoices;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AgentsTest {
  /** Small networks, otherwise the paper's. */
  private static final DdpgSettings SMALL =
      new DdpgSettings(32, 24, 1e-3, 1e-3, 0.01, 1, 16, 64, 5, 0.5, 0.97, 1, 0.5);

  private final SyntheticProblem problem = new SyntheticProblem(9, 1);

  @Test
  void theUniformAgentTriesEveryPairOfWidthsThatFitsDearestFirstAndThenBeginsAgain() {
    List<Policy> policies =
        run(Agents.UNIFORM, 1, 100).stream().map(EpisodeResult::policy).toList();
    int pairs = 36; // of 49
    List<String> tried = new ArrayList<>();
    double before = Double.POSITIVE_INFINITY;
    for (Policy policy : policies.subList(0, pairs)) {
      LayerBits bits = policy.get(1);
      for (int layer = 2; layer < policy.size() - 1; layer++) {
        assertEquals(bits, policy.get(layer));
      }
      assertTrue(problem.table().cost(policy) <= before);
      before = problem.table().cost(policy);
      tried.add(bits.weights().bits() + "," + bits.activations().bits());
    }
    assertEquals(List.of("4,8", "8,4", "5,6", "6,5"), tried.subList(0, 4));
    assertTrue(tried.indexOf("4,4") < tried.indexOf("8,2"));
    assertEquals(pairs, tried.stream().distinct().count());
    assertEquals(policies.subList(0, pairs), policies.subList(pairs, 2 * pairs));
  }

  @Test
  void theRandomAgentDependsOnItsSeedAlone() {
    assertEquals(policies(run(Agents.RANDOM, 1, 3)), policies(run(Agents.RANDOM, 1, 3)));
    assertNotEquals(policies(run(Agents.RANDOM, 1, 3)), policies(run(Agents.RANDOM, 2, 3)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "ddpg", "dp", "evolution", "greedy", "random", "uniform"})
  void everyAgentGoesOnFromItsSnapshotAsItWouldHave(String name) {
    SearchSettings settings = problem.settings(0.4, 5, 40, Reward.KL_DIVERGENCE);
    List<Object> undisturbed = policies(run(search(name, settings), 1, 40));
    SearchSpace space = new SearchSpace(settings);
    Agent first = Agents.create(name, space, problem, SMALL);
    List<EpisodeResult> episodes = run(new Search(space, problem, problem, first), 1, 25);
    Agent second = Agents.create(name, space, problem, SMALL);
    second.restore(first.snapshot());
    episodes.addAll(run(new Search(space, problem, problem, second), 26, 40));
    assertEquals(undisturbed, policies(episodes));
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "dp", "evolution", "greedy"})
  void everyAgentBeatsRandomPolicies(String name) {
    for (double ratio : new double[] {0.6, 0.35}) {
      SearchSettings settings = problem.settings(ratio, 1, 150, Reward.KL_DIVERGENCE);
      double random = best(run(search(Agents.RANDOM, settings), 1, 150));
      double found = best(run(search(name, settings), 1, 150));
      assertTrue(found > random, name + " " + found + ", random " + random);
    }
  }

  @Test
  void autoGoesOnExploringHoweverFarItIsExtended() {
    SearchSpace space = new SearchSpace(problem.settings(0.4, 5, 10, Reward.KL_DIVERGENCE));
    Agent auto = Agents.create(Agents.AUTO, space, problem, SMALL);
    run(new Search(space, problem, problem, auto), 1, 12);
    for (int number : new int[] {1_000, 99_999}) {
      int ways = 6; // take turns
      boolean explores = false;
      for (int turn = 0; turn < ways; turn++) {
        Set<List<Double>> proposed = new HashSet<>();
        for (int round = 0; round < 4; round++) {
          auto.beginEpisode(number + turn + round * ways, List.of());
          proposed.add(space.walk(auto::act).stream().map(Transition::action).toList());
        }
        explores |= proposed.size() == 4 && proposed.stream().noneMatch(this::isOfWidths);
      }
      assertTrue(explores, "DDPG adds noise near episode " + number);
    }
  }

  /** Actions in the middle of a width's interval, as other ways than DDPG propose them. */
  private boolean isOfWidths(List<Double> actions) {
    Decisions decisions =
        new SearchSpace(problem.settings(0.4, 5, 10, Reward.KL_DIVERGENCE)).decisions();
    return decisions.actions(decisions.policy(actions)).equals(actions);
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "ddpg", "dp", "evolution", "greedy", "random", "uniform"})
  void everyAgentKeepsToTheWidthsOfSingleLayers(String name) {
    SearchSettings usual = problem.settings(0.7, 3, 30, Reward.KL_DIVERGENCE);
    List<Layer> layers = problem.network().layers();
    SearchSettings settings =
        new SearchSettings(
            usual.network(),
            usual.budgets(),
            usual.weightBits(),
            usual.activationBits(),
            usual.pinning(),
            List.of(
                widths(layers.get(0), List.of(6), List.of()),
                widths(layers.get(2), List.of(5), List.of(3)),
                widths(layers.get(3), List.of(2, 7), List.of(4, 8))),
            usual.reward(),
            usual.seed(),
            usual.episodes());
    for (EpisodeResult result : run(search(name, settings), 1, 30)) {
      Policy policy = result.policy();
      assertEquals(LayerBits.of(6, 8), policy.get(0));
      assertEquals(LayerBits.of(5, 3), policy.get(2));
      assertTrue(Set.of(2, 7).contains(policy.get(3).weights().bits()), policy.toString());
      assertTrue(Set.of(4, 8).contains(policy.get(3).activations().bits()), policy.toString());
      assertTrue(result.costRatio() <= 0.7);
    }
  }

  private static LayerWidths widths(Layer layer, List<Integer> weights, List<Integer> activations) {
    return new LayerWidths(
        layer.name(),
        Optional.of(new BitChoices(weights)),
        activations.isEmpty() ? Optional.empty() : Optional.of(new BitChoices(activations)));
  }

  @Test
  void evolutionDrawsNoPoliciesOnceItHasSeenEnoughOfOthers() {
    SearchSpace space = new SearchSpace(problem.settings(0.4, 5, 10, Reward.KL_DIVERGENCE));
    Agent alone = Agents.create(Agents.EVOLUTION, space, problem, SMALL);
    Agent told = Agents.create(Agents.EVOLUTION, space, problem, SMALL);
    Policy known = space.policy(Collections.nCopies(space.decisions().size(), 0.4));
    for (int i = 0; i < EvolutionAgent.POPULATION; i++) {
      told.observe(known, -1);
    }
    assertTrue(
        differences(known, propose(told, space)) < differences(known, propose(alone, space)));
  }

  private static Policy propose(Agent agent, SearchSpace space) {
    agent.beginEpisode(1, List.of());
    return space.policy(space.walk(agent::act).stream().map(Transition::action).toList());
  }

  private static long differences(Policy one, Policy other) {
    return IntStream.range(0, one.size()).filter(i -> !one.get(i).equals(other.get(i))).count();
  }

  @Test
  void settingsWithAnEnormousSnapshotAreRefused() {
    DdpgSettings replay =
        new DdpgSettings(64, 48, 1e-3, 1e-3, 0.01, 1, 32, 10_000, 5, 0.5, 0.97, 4, 0.5);
    for (String name : List.of(Agents.DDPG, Agents.AUTO)) {
      Agents.checkSize(name, List.of(200), replay);
      for (int decisions : new int[] {2_000, 50_000, Integer.MAX_VALUE}) {
        HaqException error =
            assertThrows(
                HaqException.class, () -> Agents.checkSize(name, List.of(decisions), replay));
        assertTrue(error.getMessage().contains("replay_per_decision 10000"), error.getMessage());
      }
    }
    int layers = 2_100; // with a covariance of 141 MB
    Agents.checkSize(Agents.DDPG, List.of(2 * layers), SMALL);
    assertThrows(
        HaqException.class, () -> Agents.checkSize(Agents.AUTO, List.of(2 * layers), SMALL));
  }

  @Test
  void autoIsNeverWorseThanWhatItStartsFrom() {
    for (double ratio : new double[] {0.6, 0.35}) {
      SearchSettings settings = problem.settings(ratio, 1, 40, Reward.KL_DIVERGENCE);
      double auto = best(run(search(Agents.AUTO, settings), 1, 40));
      for (String other : List.of(Agents.DP, Agents.GREEDY)) {
        assertTrue(auto >= best(run(search(other, settings), 1, 1)), other);
      }
      int pairs = 7 * 7;
      assertTrue(auto >= best(run(search(Agents.UNIFORM, settings), 1, pairs)));
    }
  }

  @Test
  void autoSpendsNoEpisodeOnAPolicyThatItHasTriedAlready() {
    SearchSettings settings = problem.settings(0.4, 1, 150, Reward.KL_DIVERGENCE);
    List<Object> policies = policies(run(search(Agents.AUTO, settings), 1, 150));
    assertEquals(150, policies.stream().distinct().count());
  }

  @Test
  void autoSpendsNoEpisodeOnAPolicyThatIsUnderWay() {
    SearchSettings settings = problem.settings(0.4, 1, 150, Reward.KL_DIVERGENCE);
    EpisodeWindow window =
        new EpisodeWindow(search(Agents.AUTO, settings), 4, (Executor) Runnable::run);
    Set<Object> policies = new HashSet<>();
    for (int n = 1; n <= 150; n++) {
      assertTrue(policies.add(window.next(150).policy()), "episode " + n + " repeats another");
    }
  }

  @Test
  void greedySpendsItsFirstEpisodesSideBySideOnDifferentPolicies() {
    SearchSettings settings = problem.settings(0.4, 1, 60, Reward.KL_DIVERGENCE);
    EpisodeWindow window =
        new EpisodeWindow(search(Agents.GREEDY, settings), 8, (Executor) Runnable::run);
    List<Policy> beside = new ArrayList<>();
    for (int n = 1; n <= 24; n++) {
      beside.add(window.next(60).policy());
    }
    assertEquals(24, beside.stream().distinct().count());
    assertEquals(run(search(Agents.GREEDY, settings), 1, 1).get(0).policy(), beside.get(0));
  }

  @Test
  void autoGoesOnFromASnapshotOfBeforeLayoutsHadANumber() {
    SearchSpace space = new SearchSpace(problem.settings(0.4, 5, 40, Reward.KL_DIVERGENCE));
    Agent first = Agents.create(Agents.AUTO, space, problem, SMALL);
    run(new Search(space, problem, problem, first), 1, 25);
    ByteBuffer now = ByteBuffer.wrap(first.snapshot());
    int best = Best.bytes(space.decisions().size());
    byte[] old = new byte[now.capacity() - 1 - Tried.BYTES - Double.BYTES];
    now.position(1 + Tried.BYTES).get(old, 0, best);
    now.getDouble(); // the least loss
    now.get(old, best, now.remaining());

    Agent second = Agents.create(Agents.AUTO, space, problem, SMALL);
    second.restore(old);
    ByteBuffer restored = ByteBuffer.wrap(second.snapshot());
    now.position(1 + Tried.BYTES);
    restored.position(1 + Tried.BYTES);
    assertEquals(now, restored);
    run(new Search(space, problem, problem, second), 26, 40);
  }

  @Test
  void evolutionGetsBeyondThePopulationItBeginsWith() {
    SearchSettings settings = problem.settings(0.4, 1, 150, Reward.KL_DIVERGENCE);
    List<EpisodeResult> episodes = run(search(Agents.EVOLUTION, settings), 1, 150);
    double first = best(episodes.subList(0, EvolutionAgent.POPULATION));
    double last = best(episodes.subList(100, 150));
    assertTrue(last > first / 2, "at first " + first + ", at last " + last);
  }

  private static double best(List<EpisodeResult> episodes) {
    return episodes.stream().mapToDouble(EpisodeResult::reward).max().orElseThrow();
  }

  @Test
  void anUnknownAgentIsRefusedWithTheNamesThereAre() {
    HaqException e = assertThrows(HaqException.class, () -> Agents.check("bayes"));
    assertEquals(Reason.INVALID_ARGUMENT, e.reason());
    assertEquals(
        "there is no agent 'bayes': use one of [auto, ddpg, dp, evolution, greedy, random, uniform]",
        e.getMessage());
  }

  private static List<Object> policies(List<EpisodeResult> episodes) {
    return episodes.stream().<Object>map(EpisodeResult::policy).toList();
  }

  private List<EpisodeResult> run(String name, long seed, int episodes) {
    return run(search(name, problem.settings(0.6, seed, episodes)), 1, episodes);
  }

  private Search search(String name, SearchSettings settings) {
    SearchSpace space = new SearchSpace(settings);
    return new Search(space, problem, problem, Agents.create(name, space, problem, SMALL));
  }

  private static List<EpisodeResult> run(Search search, int from, int to) {
    List<EpisodeResult> results = new ArrayList<>();
    for (int n = from; n <= to; n++) {
      results.add(search.episode(n));
    }
    return results;
  }
}
