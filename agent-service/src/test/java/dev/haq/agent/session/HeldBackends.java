package dev.haq.agent.session;

import dev.haq.agent.search.AccuracyEvaluator;
import dev.haq.agent.search.HardwareCosts;
import dev.haq.agent.search.SensitivityMeter;
import dev.haq.model.Accuracy;
import dev.haq.model.BitChoices;
import dev.haq.model.Cost;
import dev.haq.model.CostTable;
import dev.haq.model.FeatureMap;
import dev.haq.model.HaqException;
import dev.haq.model.Layer;
import dev.haq.model.LayerBits;
import dev.haq.model.Network;
import dev.haq.model.Policy;
import dev.haq.model.Reason;
import dev.haq.model.Resource;
import dev.haq.model.Window;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** Services in memory whose evaluations wait until a test lets them through, one by one. */
final class HeldBackends implements Backend.Factory {
  private static final long PATIENCE_MILLIS = 30_000;

  private int arrived;
  private int permits;
  private int tuningsArrived;
  private int tuningPermits;
  private boolean closesHeld;
  private HaqException failure; // null where evaluations succeed
  private boolean preparingHeld;
  private volatile double costScale = 1;
  private volatile Runnable whenTaken = () -> {};
  private volatile Runnable whenPreparing = () -> {};

  @Override
  public Backend open(SessionSpec spec, boolean patient) {
    if (patient) {
      whenTaken.run();
    }
    return new Held();
  }

  /** From now on everything costs so many times what it did at first. */
  void scaleCosts(double scale) {
    costScale = scale;
  }

  /** Called when a session's turn has come. */
  void onTaken(Runnable listener) {
    whenTaken = listener;
  }

  /** Called by the session's thread when it asks for the float accuracy. */
  void onPreparing(Runnable listener) {
    whenPreparing = listener;
  }

  /** Has the float accuracy wait until its session is aborted. */
  synchronized void holdPreparing() {
    preparingHeld = true;
  }

  /** Lets all float accuracies through. */
  synchronized void passAllPreparing() {
    preparingHeld = false;
    notifyAll();
  }

  private synchronized void passPreparing(Held caller) {
    waitWhile(() -> preparingHeld && !caller.aborted);
    if (caller.aborted) {
      throw new HaqException(Reason.CANCELLED, "aborted");
    }
  }

  /** Whether threads that are done with a session have to wait before they leave it. */
  synchronized void holdCloses(boolean held) {
    closesHeld = held;
    notifyAll();
  }

  private synchronized void passClose() {
    waitWhile(() -> closesHeld);
  }

  private synchronized void waitWhile(BooleanSupplier condition) {
    try {
      while (condition.getAsBoolean()) {
        wait();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Lets so many evaluations through. */
  synchronized void permit(int count) {
    permits += count;
    notifyAll();
  }

  /** Waits until an evaluation waits to be let through, and counts it as seen. */
  synchronized void awaitArrival() throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
    while (arrived == 0) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("no evaluation was asked for");
      }
      wait(left);
    }
    arrived--;
  }

  private synchronized void pass(Held caller) {
    arrived++;
    notifyAll();
    waitWhile(() -> permits == 0 && !caller.aborted);
    if (caller.aborted) {
      throw new HaqException(Reason.CANCELLED, "aborted");
    }
    permits--;
    if (failure != null) {
      throw failure;
    }
  }

  /** From now on evaluations that are let through fail. */
  synchronized void fail(HaqException with) {
    failure = with;
  }

  /** Lets a fine-tuning through. */
  synchronized void permitTuning() {
    tuningPermits++;
    notifyAll();
  }

  /** Waits until a fine-tuning waits to be let through, and counts it as seen. */
  synchronized void awaitTuning() throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_MILLIS * 1_000_000;
    while (tuningsArrived == 0) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("no fine-tuning was asked for");
      }
      wait(left);
    }
    tuningsArrived--;
  }

  private synchronized void passTuning(Held caller) {
    tuningsArrived++;
    notifyAll();
    waitWhile(() -> tuningPermits == 0 && !caller.aborted);
    if (caller.aborted) {
      throw new HaqException(Reason.CANCELLED, "aborted");
    }
    tuningPermits--;
  }

  private synchronized void abort(Held backend) {
    backend.aborted = true;
    notifyAll();
  }

  private final class Held implements Backend, HardwareCosts, AccuracyEvaluator {
    private boolean aborted;

    @Override
    public Network network() {
      FeatureMap map = FeatureMap.square(4);
      List<Layer> layers =
          IntStream.range(0, 4)
              .<Layer>mapToObj(
                  i -> new Layer.Conv2d("c" + i, 2, 2, 1, Window.square(3, 1, 1), map, map, 0))
              .toList();
      return new Network("", "four", layers, 0);
    }

    @Override
    public void checkData(Network network) {}

    @Override
    public HardwareCosts costs(Network network, TargetHandle target) {
      return this;
    }

    @Override
    public AccuracyEvaluator evaluator(Network network, Optional<Accuracy> baseline) {
      return this;
    }

    @Override
    public Tuned tune(Network network, Episode best, Consumer<TuningProgress> listener) {
      listener.accept(new TuningProgress(1, 1, 1, 1, 0.5, 1, 0));
      passTuning(this);
      Accuracy accuracy = best.result().accuracy();
      return new Tuned(best.number(), "tuned", 1, accuracy, accuracy, Optional.empty(), 1);
    }

    @Override
    public SensitivityMeter sensitivities(Network network, Consumer<Preparation> progress) {
      return (weights, activations) -> {
        throw new AssertionError("no agent here asks for sensitivities");
      };
    }

    @Override
    public CostTable table(Resource resource) {
      BitChoices bits = BitChoices.TABLE;
      double[] values = new double[4 * 64];
      for (int i = 0; i < values.length; i++) {
        values[i] = costScale * (1 + i / 8 % 8) * (1 + i % 8);
      }
      return new CostTable(
          Resource.LATENCY,
          List.of("c0", "c1", "c2", "c3"),
          bits,
          bits,
          values,
          new double[0],
          false);
    }

    @Override
    public Cost simulate(Policy policy) {
      return new Cost(0, table(Resource.LATENCY).cost(policy), OptionalDouble.empty(), 0);
    }

    @Override
    public Accuracy baseline() {
      whenPreparing.run();
      passPreparing(this);
      return new Accuracy(1000, 900, 990, 10);
    }

    @Override
    public Accuracy evaluate(Policy policy) {
      pass(this);
      int bits = 0;
      for (LayerBits layer : policy.layers()) {
        bits += layer.weights().bits() * 3 + layer.activations().bits();
      }
      return new Accuracy(1000, 700 + bits, 990, 10);
    }

    @Override
    public void abort() {
      HeldBackends.this.abort(this);
    }

    @Override
    public void close() {
      passClose();
    }
  }
}
