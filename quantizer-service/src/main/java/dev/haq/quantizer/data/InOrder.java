package dev.haq.quantizer.data;

import dev.haq.model.HaqException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Work on all cores whose error does not depend on which core was faster. */
final class InOrder {
  private InOrder() {}

  /**
   * Does the work for 0..count-1 in parallel. When some of it fails, the failure of the lowest
   * number is thrown; work with higher numbers may be left out.
   */
  static void run(int count, IntConsumer work) {
    AtomicReference<Failure> first = new AtomicReference<>();
    IntStream.range(0, count)
        .parallel()
        .forEach(
            number -> {
              Failure known = first.get();
              if (known != null && known.number < number) {
                return;
              }
              try {
                work.accept(number);
              } catch (HaqException e) {
                first.accumulateAndGet(new Failure(number, e), Failure::lower);
              }
            });
    if (first.get() != null) {
      throw first.get().error;
    }
  }

  private record Failure(int number, HaqException error) {
    static Failure lower(Failure known, Failure other) {
      return known == null || other.number < known.number ? other : known;
    }
  }
}
