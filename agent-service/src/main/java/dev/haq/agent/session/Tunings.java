package dev.haq.agent.session;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * What final fine-tuning has come to, of the best policies of a session.
 *
 * @param byAim of each aim the last outcome, perhaps of a policy that is not its best any more: the
 *     first target, each further one, and the fleet where there are several; see {@link Fleet}
 */
public record Tunings(List<Optional<Tuned>> byAim) {
  public Tunings {
    byAim = List.copyOf(byAim);
  }

  /** Before any. */
  static Tunings none(int aims) {
    return new Tunings(Collections.nCopies(aims, Optional.empty()));
  }

  public Optional<Tuned> of(int aim) {
    return byAim.get(aim);
  }

  /** Whether the network of this policy, the best of the aim, has been trained. */
  boolean has(int aim, Episode best) {
    return of(aim).filter(tuned -> tuned.episode() == best.number()).isPresent();
  }

  /**
   * With an outcome, of every aim whose best policy it is of.
   *
   * @param bests of each aim
   */
  Tunings with(Tuned outcome, List<Optional<Episode>> bests) {
    List<Optional<Tuned>> changed = new ArrayList<>(byAim);
    for (int aim = 0; aim < bests.size(); aim++) {
      if (bests.get(aim).filter(best -> best.number() == outcome.episode()).isPresent()) {
        changed.set(aim, Optional.of(outcome));
      }
    }
    return new Tunings(changed);
  }
}
