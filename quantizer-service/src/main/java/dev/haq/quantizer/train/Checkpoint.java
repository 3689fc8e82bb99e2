package dev.haq.quantizer.train;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What training goes on from after an interruption: parameters and velocities at the end of an
 * epoch, and the parameters of the best, in the library's own format. A file is written beside the
 * old one and then put in its place, so one is there completely or not at all.
 */
final class Checkpoint {
  private static final Logger LOG = LoggerFactory.getLogger(Checkpoint.class);

  private final Optional<Path> file;
  private final List<NDArray> parameters;
  private final List<NDArray> velocities;
  private final BestEpoch best;

  /**
   * @param seconds that training took so far
   * @param first loss of the first step, before anything was changed
   * @param latest loss of the latest steps
   */
  record Reached(int epochs, double seconds, double first, double latest) {}

  /**
   * @param file empty to keep nothing
   */
  Checkpoint(
      Optional<Path> file, List<NDArray> parameters, List<NDArray> velocities, BestEpoch best) {
    this.best = best;
    this.file = file;
    this.parameters = parameters;
    this.velocities = velocities;
  }

  /** Puts parameters and velocities back as they were kept; answers how far that was. */
  Reached restore(NDManager manager) {
    Reached nothing = new Reached(0, 0, Double.NaN, Double.NaN);
    if (file.isEmpty() || !Files.exists(file.get())) {
      return nothing;
    }
    try (NDManager reading = manager.newSubManager()) {
      NDList kept = NDList.decode(reading, Files.readAllBytes(file.get()));
      if (kept.size() != 1 + 2 * parameters.size() + velocities.size()) {
        LOG.warn("checkpoint {} is of another training and passed over", file.get());
        return nothing;
      }
      double[] reached = kept.get(0).toDoubleArray();
      for (int i = 0; i < parameters.size(); i++) {
        parameters.get(i).muli(0).addi(kept.get(1 + i));
        velocities.get(i).muli(0).addi(kept.get(1 + parameters.size() + i));
      }
      float[][] leastLoss = new float[parameters.size()][];
      for (int i = 0; i < leastLoss.length; i++) {
        leastLoss[i] = kept.get(1 + parameters.size() + velocities.size() + i).toFloatArray();
      }
      best.keep(reached[4], leastLoss);
      return new Reached((int) reached[0], reached[1], reached[2], reached[3]);
    } catch (IOException | RuntimeException e) {
      LOG.warn("checkpoint {} cannot be read and is passed over", file.get(), e);
      return nothing;
    }
  }

  /**
   * Keeps where training is; a disk that refuses it costs an interrupted training, not this one.
   */
  void save(Reached reached) {
    if (file.isEmpty()) {
      return;
    }
    Path target = file.get();
    try (NDManager writing = parameters.get(0).getManager().newSubManager()) {
      NDList all = new NDList();
      all.add(
          writing.create(
              new double[] {
                reached.epochs(), reached.seconds(), reached.first(), reached.latest(), best.loss()
              }));
      all.addAll(parameters);
      all.addAll(velocities);
      for (float[] values : best.values().orElseThrow()) {
        all.add(writing.create(values));
      }
      Path written = Files.createTempFile(target.getParent(), "checkpoint", ".part");
      try {
        Files.write(written, all.encode());
        Files.move(
            written, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(written);
      }
    } catch (IOException e) {
      LOG.warn("checkpoint {} cannot be written; training goes on without it", target, e);
    }
  }
}
