package dev.haq.agent.agents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.Reward;
import dev.haq.agent.search.SearchSpace;
import dev.haq.agent.search.SeededRandom;
import dev.haq.agent.search.SeededRandom.Purpose;
import dev.haq.agent.search.SyntheticProblem;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TriedTest {
  private final Decisions decisions =
      new SearchSpace(new SyntheticProblem(9, 1).settings(0.6, 1, 40, Reward.KL_DIVERGENCE))
          .decisions();
  private final Tried tried = new Tried(decisions);

  private List<Policy> policies(int count) {
    SeededRandom random = SeededRandom.of(1, Purpose.EXPLORATION, 1);
    return Stream.generate(() -> Genome.random(decisions, random)).distinct().limit(count).toList();
  }

  @Test
  void ofManyPoliciesTheLastThousandAreKnown() {
    List<Policy> policies = policies(1500);
    policies.forEach(tried::add);
    for (int i = 0; i < policies.size(); i++) {
      assertEquals(i >= policies.size() - 1024, tried.contains(policies.get(i)), "policy " + i);
    }
  }

  @Test
  void aPolicyThatComesTwiceTakesOnePlace() {
    List<Policy> policies = policies(1024);
    tried.add(policies.get(0));
    policies.forEach(tried::add);
    assertTrue(policies.stream().allMatch(tried::contains));
  }

  @Test
  void whatWasSavedIsKnownAgainAndForgottenInTheSameOrder() {
    List<Policy> policies = policies(1100);
    policies.subList(0, 1050).forEach(tried::add);
    ByteBuffer bytes = ByteBuffer.allocate(Tried.BYTES);
    tried.save(bytes);
    Tried again = new Tried(decisions);
    again.load(bytes.flip());
    for (Policy policy : policies.subList(1050, 1100)) {
      assertFalse(again.contains(policy));
      tried.add(policy);
      again.add(policy);
    }
    policies.forEach(policy -> assertEquals(tried.contains(policy), again.contains(policy)));
  }
}
