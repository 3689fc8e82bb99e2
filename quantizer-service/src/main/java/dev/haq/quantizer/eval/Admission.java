package dev.haq.quantizer.eval;

import dev.haq.model.HaqException;
import dev.haq.quantizer.sharing.Line;
import dev.haq.quantizer.sharing.Places;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Lets a few evaluations run at once and others wait in line, up to a bound. */
final class Admission {
  /** Half the threads that serve calls, so that waiting evaluations never block other calls. */
  private static final int MOST_WAITING = 32;

  /** Fewer: they wait for as long as networks are trained. */
  private static final int MOST_WAITING_TO_TRAIN = 8;

  private final Places running;
  private final Line line = new Line(MOST_WAITING, "evaluations wait");
  private final Line lineToTrain = new Line(MOST_WAITING_TO_TRAIN, "evaluations that train wait");

  /**
   * @param concurrent evaluations under way at once
   */
  Admission(int concurrent) {
    this.running = new Places(concurrent);
  }

  /**
   * Waits until one more may run.
   *
   * @param before done while waiting: what keeps nobody from running, however long it takes
   * @throws HaqException BUSY when too many wait already, CANCELLED, or what {@code before} throws
   */
  void enter(Runnable before, BooleanSupplier cancelled) {
    line.hold(
        () -> {
          before.run();
          running.enter(cancelled);
          return true;
        });
  }

  /**
   * Waits, for as long as it takes, until one more may run: for work under way that would be lost
   * if it were turned away, and of which there is little, in lines of its own.
   *
   * @throws HaqException CANCELLED
   */
  void goOn(BooleanSupplier cancelled) {
    running.enter(cancelled);
  }

  /**
   * Waits for the turn to train and then, having it, until one more may run: those who wait for the
   * turn keep nobody from running.
   *
   * @param training waits for the turn
   * @return to be closed when the one that ran is done, by the same thread
   * @throws HaqException BUSY when too many wait to train already, CANCELLED, or what {@code
   *     training} throws
   */
  FineTuner.Turn enterToTrain(Supplier<FineTuner.Turn> training, BooleanSupplier cancelled) {
    return lineToTrain.hold(
        () -> {
          FineTuner.Turn turn = training.get();
          boolean entered = false;
          try {
            running.enter(cancelled);
            entered = true;
          } finally {
            if (!entered) {
              turn.close();
            }
          }
          return () -> {
            leave();
            turn.close();
          };
        });
  }

  /** One that ran is done. */
  void leave() {
    running.leave();
  }
}
