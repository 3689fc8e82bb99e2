package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.agent.agents.Agents;
import dev.haq.agent.ddpg.DdpgSettings;
import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EpisodeWindowTest {
  private static final int EPISODES = 30;
  private static final DdpgSettings SMALL =
      new DdpgSettings(16, 12, 1e-3, 1e-3, 0.01, 1, 16, 64, 5, 0.5, 0.97, 1, 0.5);

  private final SyntheticProblem problem = new SyntheticProblem(4, 1);
  private final ExecutorService threads = Executors.newFixedThreadPool(3);

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  @Test
  void aWindowOfOneIsThePlainLoop() {
    Search plain = search(problem);
    List<Double> expected = new ArrayList<>();
    for (int n = 1; n <= EPISODES; n++) {
      expected.add(plain.episode(n).reward());
    }
    EpisodeWindow window = new EpisodeWindow(search(problem), 1, Runnable::run);
    assertEquals(expected, run(window, EPISODES));
    assertArrayEquals(plain.agentSnapshot(), window.snapshot());
  }

  @Test
  void seedAndSizeDetermineTheSearchHoweverLongEvaluationsTake() {
    List<Double> sideBySide = run(new EpisodeWindow(search(problem), 3, threads), EPISODES);
    List<Double> oneAfterTheOther =
        run(new EpisodeWindow(search(problem), 3, Runnable::run), EPISODES);
    assertEquals(oneAfterTheOther, sideBySide);
    assertTrue(
        !oneAfterTheOther.equals(
            run(new EpisodeWindow(search(problem), 1, Runnable::run), EPISODES)),
        "the size of the window makes no difference: proposals come from an agent that knows more");
  }

  @Test
  void cutShortAndResumedItEqualsTheUndisturbedSearch() {
    List<Double> undisturbed = run(new EpisodeWindow(search(problem), 3, threads), EPISODES);
    for (int cut : new int[] {1, 7, EPISODES - 1}) {
      EpisodeWindow first = new EpisodeWindow(search(problem), 3, threads);
      List<Double> rewards = new ArrayList<>();
      for (int n = 1; n <= cut; n++) {
        rewards.add(first.next(EPISODES).reward());
      }
      EpisodeWindow second = new EpisodeWindow(search(problem), 3, threads);
      second.restore(cut, first.snapshot());
      for (int n = cut + 1; n <= EPISODES; n++) {
        rewards.add(second.next(EPISODES).reward());
      }
      assertEquals(undisturbed, rewards, "cut after " + cut);
    }
  }

  @Test
  void episodesAreEvaluatedAtTheSameTime() {
    CountDownLatch together = new CountDownLatch(3);
    AccuracyEvaluator meeting =
        new Judge() {
          @Override
          public Accuracy evaluate(Policy policy) {
            together.countDown();
            try {
              assertTrue(together.await(30, TimeUnit.SECONDS), "nobody else came");
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            return super.evaluate(policy);
          }
        };
    assertEquals(5, run(new EpisodeWindow(search(meeting), 3, threads), 5).size());
  }

  @Test
  void learningFromAnEpisodeNeedsNotTheNextToBeDone() {
    CountDownLatch learned = new CountDownLatch(1);
    AccuracyEvaluator second =
        new Judge() {
          private int calls;

          @Override
          public Accuracy evaluate(Policy policy) {
            if (++calls == 2) {
              try {
                assertTrue(learned.await(30, TimeUnit.SECONDS), "episode 1 waits for episode 2");
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            }
            return super.evaluate(policy);
          }
        };
    ExecutorService one = Executors.newSingleThreadExecutor();
    try {
      EpisodeWindow window = new EpisodeWindow(search(second), 2, one);
      assertEquals(1, window.next(2).number());
      learned.countDown();
      assertEquals(2, window.next(2).number());
    } finally {
      one.shutdownNow();
    }
  }

  @Test
  void anEpisodeThatFailedIsBegunAgainWithThoseAfterIt() {
    List<Double> undisturbed = run(new EpisodeWindow(search(problem), 3, Runnable::run), 12);
    AccuracyEvaluator failing =
        new Judge() {
          private int calls;

          @Override
          public Accuracy evaluate(Policy policy) {
            if (++calls == 8) {
              throw new HaqException(Reason.UNAVAILABLE, "the quantizer does not answer");
            }
            return super.evaluate(policy);
          }
        };
    EpisodeWindow window = new EpisodeWindow(search(failing), 3, (Executor) Runnable::run);
    List<Double> rewards = new ArrayList<>();
    for (int n = 1; n <= 7; n++) {
      rewards.add(window.next(12).reward());
    }
    byte[] snapshot = window.snapshot();
    assertThrows(HaqException.class, () -> window.next(12));
    window.restore(7, snapshot);
    while (rewards.size() < 12) {
      rewards.add(window.next(12).reward());
    }
    assertEquals(undisturbed, rewards);
  }

  @Test
  void whatGoesWrongInAWindowOfOneArrivesAsItIs() {
    Error broken = new AssertionError("broken");
    AccuracyEvaluator failing =
        new Judge() {
          @Override
          public Accuracy evaluate(Policy policy) {
            throw broken;
          }
        };
    EpisodeWindow window = new EpisodeWindow(search(failing), 1, Runnable::run);
    assertSame(broken, assertThrows(AssertionError.class, () -> window.next(1)));
  }

  private class Judge implements AccuracyEvaluator {
    @Override
    public Accuracy baseline() {
      return problem.baseline();
    }

    @Override
    public Accuracy evaluate(Policy policy) {
      return problem.evaluate(policy);
    }
  }

  private Search search(AccuracyEvaluator evaluator) {
    SearchSpace space = new SearchSpace(problem.settings(0.5, 1, EPISODES));
    return new Search(space, problem, evaluator, Agents.create(Agents.DDPG, space, problem, SMALL));
  }

  private static List<Double> run(EpisodeWindow window, int episodes) {
    List<Double> rewards = new ArrayList<>();
    for (int n = 1; n <= episodes; n++) {
      EpisodeResult result = window.next(episodes);
      assertEquals(n, result.number());
      rewards.add(result.reward());
    }
    return rewards;
  }
}
