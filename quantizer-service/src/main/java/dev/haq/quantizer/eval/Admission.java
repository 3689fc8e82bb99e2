package dev.haq.quantizer.eval;

import dev.haq.model.HaqException;
import dev.haq.quantizer.sharing.Line;
import dev.haq.quantizer.sharing.Places;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Lets a few evaluations run at once and others wait in line, up to a bound. */
final class Admission {
  /**
   * A third of the threads that serve calls, so that waiting evaluations never block other calls.
   */
  private static final int MOST_WAITING = 32;

  /** Fewer: images are decoded for minutes, and others must find threads. */
  private static final int MOST_PREPARING = 16;

  /** Fewer: they wait for as long as networks are trained. */
  private static final int MOST_WAITING_TO_TRAIN = 8;

  private final Places running;
  private final Line line = new Line(MOST_WAITING, "evaluations wait");
  private final Line lineToPrepare = new Line(MOST_PREPARING, "evaluations wait for their images");
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
   * @throws HaqException BUSY when too many wait already, or CANCELLED
   */
  void enter(BooleanSupplier cancelled) {
    line.hold(
        () -> {
          running.enter(cancelled);
          return true;
        });
  }

  /**
   * Does what has to be done before one waits to run, and may take long: in a line of its own, so
   * that it keeps nobody from waiting or running.
   *
   * @throws HaqException BUSY when too many are at it already, or what {@code work} throws
   */
  void prepare(Runnable work) {
    lineToPrepare.hold(
        () -> {
          work.run();
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
