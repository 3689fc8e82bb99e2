package dev.haq.agent.search;

import dev.haq.model.Policy;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;

/**
 * Episodes under way side by side, learned from in the order of their numbers.
 *
 * <p>Episode k is proposed by the agent that has learned from episodes 1 to k - {@code size} and no
 * other, and knows the policies of those between, however fast each evaluation is: the same seed
 * and size give the same search. A size of 1 is the paper's loop, {@link Search#episode}. With as
 * many evaluators as the size, each episode's learning holds one of them up; with one more in the
 * window than evaluators, learning from one episode goes on while the next are evaluated.
 *
 * <p>One thread at a time; proposals are judged by the executor's.
 */
public final class EpisodeWindow {
  private final Search search;
  private final int size;
  private final Executor evaluators;
  private final Deque<UnderWay> underWay = new ArrayDeque<>(); // by number
  private int learned;

  private record UnderWay(Proposal proposal, FutureTask<Verdict> verdict) {}

  /**
   * @param size episodes under way at a time, at least 1
   * @param evaluators runs what is handed to it at once, or as soon as it can, in order
   */
  public EpisodeWindow(Search search, int size, Executor evaluators) {
    this.search = search;
    this.size = size;
    this.evaluators = evaluators;
  }

  /**
   * Runs the episode after the last, and begins those that may be under way with it.
   *
   * @param last no episode beyond this one is begun
   */
  public EpisodeResult next(int last) {
    EpisodeResult result = size == 1 ? search.episode(learned + 1) : interleaved(last);
    learned++;
    return result;
  }

  private EpisodeResult interleaved(int last) {
    while (underWay.size() < size && learned + underWay.size() < last) {
      List<Policy> before = underWay.stream().map(each -> each.proposal().policy()).toList();
      begin(search.propose(learned + underWay.size() + 1, before));
    }
    UnderWay first = underWay.element();
    EpisodeResult result = search.learn(verdict(first));
    underWay.remove();
    return result;
  }

  private void begin(Proposal proposal) {
    FutureTask<Verdict> verdict = new FutureTask<>(() -> search.judge(proposal));
    underWay.add(new UnderWay(proposal, verdict));
    evaluators.execute(verdict);
  }

  /** An episode that could not be judged is dropped with those after it, to be begun again. */
  private Verdict verdict(UnderWay first) {
    try {
      return first.verdict().get();
    } catch (ExecutionException e) {
      drop();
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException("an episode broke off", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      drop();
      throw new CancellationException("the search was interrupted");
    }
  }

  private void drop() {
    underWay.forEach(each -> each.verdict().cancel(false));
    underWay.clear();
  }

  /**
   * The agent after the last episode, and the proposals that it had made before: together they
   * determine every episode to come. With a size of 1 it is the agent's snapshot alone.
   */
  public byte[] snapshot() {
    byte[] agent = search.agentSnapshot();
    if (size == 1) {
      return agent;
    }
    int bytes = Integer.BYTES;
    for (UnderWay each : underWay) {
      bytes += 1 + Integer.BYTES + Double.BYTES * each.proposal().steps().size();
    }
    ByteBuffer out = ByteBuffer.allocate(bytes + agent.length);
    out.putInt(underWay.size());
    for (UnderWay each : underWay) {
      List<Double> actions = each.proposal().actions();
      out.put((byte) (each.proposal().warmup() ? 1 : 0)).putInt(actions.size());
      actions.forEach(out::putDouble);
    }
    return out.put(agent).array();
  }

  /**
   * Goes on after an episode, and begins again those that were under way then.
   *
   * @param lastLearned number of the episode after which {@code snapshot} was taken
   */
  public void restore(int lastLearned, byte[] snapshot) {
    drop();
    learned = lastLearned;
    ByteBuffer in = ByteBuffer.wrap(snapshot);
    List<Proposal> proposals = new ArrayList<>();
    int count = size == 1 ? 0 : in.getInt();
    for (int i = 1; i <= count; i++) {
      boolean warmup = in.get() == 1;
      int steps = in.getInt();
      List<Double> actions = new ArrayList<>();
      for (int step = 0; step < steps; step++) {
        actions.add(in.getDouble());
      }
      proposals.add(search.again(lastLearned + i, actions, warmup));
    }
    byte[] agent = new byte[in.remaining()];
    in.get(agent);
    search.restoreAgent(agent);
    proposals.forEach(this::begin);
  }
}
