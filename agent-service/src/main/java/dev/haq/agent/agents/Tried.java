package dev.haq.agent.agents;

import dev.haq.agent.search.Decisions;
import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The policies evaluated last, so that no episode is spent on one of them again. Holds 64 bits of
 * each, and of so many only that a snapshot does not grow with the search.
 */
final class Tried {
  private static final int MOST = 1024;

  /** That {@link #save} writes. */
  static final int BYTES = Integer.BYTES + Long.BYTES * MOST;

  private final Decisions decisions;
  private final long[] hashes = new long[MOST]; // a ring
  private final Set<Long> known = new HashSet<>();
  private int added; // policies so far

  Tried(Decisions decisions) {
    this.decisions = decisions;
  }

  boolean contains(Policy policy) {
    return known.contains(hash(policy));
  }

  /** Whether a policy was neither evaluated nor is being evaluated. */
  boolean isNew(Policy policy, List<Policy> underWay) {
    return !contains(policy) && !underWay.contains(policy);
  }

  void add(Policy policy) {
    long hash = hash(policy);
    if (!known.add(hash)) {
      return;
    }
    int place = added % MOST;
    if (added >= MOST) {
      known.remove(hashes[place]);
    }
    hashes[place] = hash;
    added++;
  }

  /** FNV-1a (Fowler, Noll, Vo), 64 bits. */
  private long hash(Policy policy) {
    long hash = 0xcbf29ce484222325L;
    for (byte gene : Genome.of(decisions, policy)) {
      hash = (hash ^ (gene & 0xff)) * 0x100000001b3L;
    }
    return hash;
  }

  void save(ByteBuffer out) {
    out.putInt(added);
    for (long hash : hashes) {
      out.putLong(hash);
    }
  }

  void load(ByteBuffer in) {
    added = in.getInt();
    known.clear();
    for (int i = 0; i < MOST; i++) {
      hashes[i] = in.getLong();
      if (i < added) {
        known.add(hashes[i]);
      }
    }
  }
}
