package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.model.Accuracy;
import dev.haq.model.Cost;
import dev.haq.model.LayerBits;
import dev.haq.model.Policy;
import dev.haq.model.Resource;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ParetoFrontTest {
  @Test
  void itHoldsWhatComparingAllWithAllHolds() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 50; round++) {
      List<Episode> all = new ArrayList<>();
      ParetoFront front = new ParetoFront(Resource.LATENCY);
      for (int n = 1; n <= 60; n++) {
        Episode episode = episode(n, random.nextInt(12), random.nextInt(12));
        all.add(episode);
        front.add(episode);
      }
      assertEquals(plain(all), front.episodes());
    }
  }

  /** No other costs no more and is worth as much; of equals, the first. */
  private static List<Episode> plain(List<Episode> all) {
    return all.stream()
        .filter(
            one ->
                all.stream()
                    .noneMatch(
                        other ->
                            other.number() != one.number()
                                && cost(other) <= cost(one)
                                && reward(other) >= reward(one)
                                && (cost(other) < cost(one)
                                    || reward(other) > reward(one)
                                    || other.number() < one.number())))
        .sorted(Comparator.comparingDouble(ParetoFrontTest::cost))
        .toList();
  }

  private static double cost(Episode episode) {
    return episode.result().cost().latencySeconds();
  }

  private static double reward(Episode episode) {
    return episode.result().reward();
  }

  private static Episode episode(int number, double seconds, double reward) {
    EpisodeResult result =
        new EpisodeResult(
            number,
            Policy.uniform(1, LayerBits.of(8, 8)),
            reward,
            new Accuracy(10, 5, 5, 1),
            new Cost(0, seconds, OptionalDouble.empty(), 1),
            0.5,
            false,
            new Timings(1, 1, 0, 0));
    return new Episode(result, false, reward, List.of(), Instant.EPOCH);
  }
}
