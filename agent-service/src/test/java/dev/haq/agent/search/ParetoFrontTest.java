package dev.haq.agent.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ParetoFrontTest {
  private record Point(int episode, double cost, double reward) {}

  @Test
  void itHoldsWhatComparingAllWithAllHolds() {
    SplittableRandom random = new SplittableRandom(1);
    for (int round = 0; round < 50; round++) {
      List<Point> all = new ArrayList<>();
      ParetoFront front = new ParetoFront();
      for (int n = 1; n <= 60; n++) {
        Point point = new Point(n, random.nextInt(12), random.nextInt(12));
        all.add(point);
        front.add(n, point.cost(), point.reward());
      }
      assertEquals(plain(all), front.episodes());
    }
  }

  /** No other costs no more and is worth as much; of equals, the first. */
  private static List<Integer> plain(List<Point> all) {
    return all.stream()
        .filter(
            one ->
                all.stream()
                    .noneMatch(
                        other ->
                            other.episode() != one.episode()
                                && other.cost() <= one.cost()
                                && other.reward() >= one.reward()
                                && (other.cost() < one.cost()
                                    || other.reward() > one.reward()
                                    || other.episode() < one.episode())))
        .sorted(Comparator.comparingDouble(Point::cost))
        .map(Point::episode)
        .toList();
  }
}
