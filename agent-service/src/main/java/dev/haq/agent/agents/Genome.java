package dev.haq.agent.agents;

import dev.haq.agent.search.Decision;
import dev.haq.agent.search.Decisions;
import dev.haq.agent.search.SeededRandom;
import dev.haq.model.BitChoices;
import dev.haq.model.BitWidth;
import dev.haq.model.Policy;

/** Policies as bytes, a byte a decision, and changes of single widths. */
final class Genome {
  private Genome() {}

  static byte[] of(Decisions decisions, Policy policy) {
    byte[] genes = new byte[decisions.size()];
    for (int step = 0; step < genes.length; step++) {
      Decision decision = decisions.get(step);
      genes[step] = (byte) decision.of(policy).bits();
    }
    return genes;
  }

  static Policy policy(Decisions decisions, byte[] genes) {
    Policy policy = decisions.uniform(0);
    for (int step = 0; step < genes.length; step++) {
      policy = Decisions.with(policy, decisions.get(step), BitWidth.of(genes[step]));
    }
    return policy;
  }

  /** {@code policy} with one decision's width replaced by another one, both drawn evenly. */
  static Policy mutated(Decisions decisions, Policy policy, SeededRandom random) {
    Decision decision = decisions.get(random.nextInt(decisions.size()));
    BitChoices choices = decisions.choices(decision);
    int now = choices.indexOf(decision.of(policy));
    int other = (now + 1 + random.nextInt(choices.size() - 1)) % choices.size();
    return Decisions.with(policy, decision, BitWidth.of(choices.bits().get(other)));
  }

  /** {@code policy} with the width of a decision one choice wider; the same where there is none. */
  static Policy widened(Decisions decisions, Policy policy, int step) {
    Decision decision = decisions.get(step);
    BitChoices choices = decisions.choices(decision);
    int wider = choices.indexOf(decision.of(policy)) + 1;
    return wider == choices.size()
        ? policy
        : Decisions.with(policy, decision, BitWidth.of(choices.bits().get(wider)));
  }

  /** Every decision's width drawn evenly. */
  static Policy random(Decisions decisions, SeededRandom random) {
    Policy policy = decisions.uniform(0);
    for (int step = 0; step < decisions.size(); step++) {
      Decision decision = decisions.get(step);
      BitChoices choices = decisions.choices(decision);
      int bits = choices.bits().get(random.nextInt(choices.size()));
      policy = Decisions.with(policy, decision, BitWidth.of(bits));
    }
    return policy;
  }
}
