package dev.haq.agent.baseline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.agent.search.Agent;
import dev.haq.agent.search.EpisodeResult;
import dev.haq.agent.search.Search;
import dev.haq.agent.search.SearchSettings;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.HaqException;
import dev.haq.model.LayerBits;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AgentsTest {
  private final SyntheticProblem problem = new SyntheticProblem(9, 1);

  @Test
  void theUniformAgentGoesFromTheWidestToTheNarrowestAndRoundAgain() {
    List<EpisodeResult> episodes = run(Agents.UNIFORM, 1, 8);
    // 8, 7 and 6 bits exceed the budget and are lowered round by round; 5 bits fit
    assertEquals(LayerBits.of(6, 6), episodes.get(0).policy().get(1));
    assertEquals(LayerBits.of(5, 5), episodes.get(3).policy().get(1));
    assertEquals(LayerBits.of(2, 2), episodes.get(6).policy().get(1));
    assertEquals(episodes.get(0).policy(), episodes.get(7).policy());
  }

  @Test
  void theRandomAgentDependsOnItsSeedAlone() {
    assertEquals(policies(run(Agents.RANDOM, 1, 3)), policies(run(Agents.RANDOM, 1, 3)));
    assertNotEquals(policies(run(Agents.RANDOM, 1, 3)), policies(run(Agents.RANDOM, 2, 3)));
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
    SearchSettings settings = problem.settings(0.6, seed, episodes);
    SearchSpace space = new SearchSpace(settings);
    Agent agent = Agents.create(name, space, problem, DdpgSettings.DEFAULTS);
    Search search = new Search(space, problem, problem, agent);
    List<EpisodeResult> results = new ArrayList<>();
    for (int n = 1; n <= episodes; n++) {
      results.add(search.episode(n));
    }
    return results;
  }
}
