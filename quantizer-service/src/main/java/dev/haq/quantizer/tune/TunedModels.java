package dev.haq.quantizer.tune;

import com.google.protobuf.util.JsonFormat;
import dev.haq.model.Accuracy;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.model.Recipe;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.quantizer.disk.Abandoned;
import dev.haq.quantizer.disk.DiskErrors;
import dev.haq.quantizer.disk.FilesOf;
import dev.haq.quantizer.eval.EvaluationRequest;
import dev.haq.quantizer.eval.Evaluator;
import dev.haq.quantizer.eval.FineTuner;
import dev.haq.quantizer.graphs.ExportedModel;
import dev.haq.quantizer.graphs.FloatGraph;
import dev.haq.quantizer.models.ModelDescription;
import dev.haq.quantizer.models.ModelStore;
import dev.haq.quantizer.models.StoredModel;
import dev.haq.quantizer.onnx.CnnGraph;
import dev.haq.quantizer.onnx.ImportedModel;
import dev.haq.quantizer.sharing.Line;
import dev.haq.quantizer.sharing.Places;
import dev.haq.wire.DataWire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fine-tunes models and stores the outcomes. A folder holds, by the digest of a request, {@code
 * <digest>.checkpoint} while it is trained and {@code <digest>.json}, its result, afterwards, which
 * is there before the outcome is judged: an equal request goes on where an earlier one was
 * interrupted, or is answered at once. Checkpoints that nobody went on with for 30 days are removed
 * at the next start. Safe for use by many threads.
 */
public final class TunedModels implements AutoCloseable {
  /** Waiting calls hold threads that serve all calls. */
  private static final int MOST_WAITING = 8;

  private static final String CHECKPOINT = ".checkpoint";
  private static final String RESULT = ".json";

  /** Nobody goes on with a training that was left for so long; it can begin anew. */
  private static final Duration CHECKPOINT_KEPT = Duration.ofDays(30);

  private static final Logger LOG = LoggerFactory.getLogger(TunedModels.class);

  private final Path folder;
  private final ModelStore models;
  private final Evaluator evaluator;
  private final Line lineToCheck = new Line(MOST_WAITING, "fine-tunings are checked");
  private final Line line = new Line(MOST_WAITING, "fine-tunings wait");

  /** One at a time, which is all that training takes; so an equal request finds the result. */
  private final Places turn = new Places(1);

  private volatile boolean closed;

  public TunedModels(Path folder, ModelStore models, Evaluator evaluator) {
    this.folder = folder;
    this.models = models;
    this.evaluator = evaluator;
    try {
      Files.createDirectories(folder);
      Abandoned.remove(folder, file -> file.toString().endsWith(".part"));
      Abandoned.remove(folder, file -> file.toString().endsWith(CHECKPOINT), CHECKPOINT_KEPT);
    } catch (IOException e) {
      throw failed("the folder " + folder + " cannot be used", e);
    }
  }

  /**
   * Fine-tunes; blocks until done.
   *
   * @param listener is told after every step
   * @param left whether nobody waits for the outcome any more; what was done until then is kept
   * @throws HaqException as {@link Evaluator#evaluate} and {@link FineTuner#tune}; BUSY when too
   *     many wait already; UNAVAILABLE when the service stops
   */
  public FineTuneResult tune(
      TuningRequest request, FineTuner.Listener listener, BooleanSupplier left) {
    String digest = request.digest();
    BooleanSupplier cancelled = () -> closed || left.getAsBoolean();
    Optional<FineTuneResult> earlier = known(digest).filter(FineTuneResult::hasAfter);
    if (earlier.isPresent()) {
      return earlier.get();
    }
    try {
      return line.hold(() -> inTurn(request, digest, listener, cancelled));
    } catch (HaqException e) {
      throw closed && e.reason() == Reason.CANCELLED ? stopping(e) : e;
    }
  }

  private FineTuneResult inTurn(
      TuningRequest request,
      String digest,
      FineTuner.Listener listener,
      BooleanSupplier cancelled) {
    turn.enter(cancelled);
    try {
      Optional<FineTuneResult> known = known(digest);
      FineTuneResult result =
          known.isPresent() ? known.get() : train(request, digest, listener, cancelled);
      return result.hasAfter() ? result : judge(request, digest, result, cancelled);
    } finally {
      turn.leave();
    }
  }

  /**
   * Refuses what {@link #tune} would refuse, without training it.
   *
   * @throws HaqException also BUSY when too many are checked already
   */
  public void check(TuningRequest request, BooleanSupplier cancelled) {
    lineToCheck.hold(
        () -> {
          evaluator.checkTrainable(
              evaluation(request.model(), request, request.recipe()), cancelled);
          return true;
        });
  }

  /**
   * Drops what is kept of a model or a dataset that was deleted: what was half trained, and results
   * of which it is a part.
   */
  public void forget(String id) {
    FilesOf.remove(folder, id);
    FilesOf.remove(folder, file -> file.toString().endsWith(RESULT) && names(file, id));
  }

  /** Removes results whose model was deleted by a process that was killed before it had. */
  public void removeUnknown() {
    FilesOf.remove(
        folder,
        file -> file.toString().endsWith(RESULT) && FilesOf.isSettled(file) && isOfNoModel(file));
  }

  private boolean isOfNoModel(Path file) {
    try {
      models.describe(read(file).getModel().getId());
      return false;
    } catch (HaqException e) {
      return e.reason() == Reason.UNKNOWN_MODEL;
    } catch (IOException e) {
      return false; // passed over whenever it is looked for
    }
  }

  private static FineTuneResult read(Path file) throws IOException {
    FineTuneResult.Builder result = FineTuneResult.newBuilder();
    JsonFormat.parser().ignoringUnknownFields().merge(Files.readString(file), result);
    return result.build();
  }

  private static boolean names(Path result, String id) {
    try {
      return Files.readString(result).contains(id);
    } catch (IOException e) {
      return false; // removed meanwhile, or passed over whenever it is looked for
    }
  }

  /**
   * Trains, and keeps what comes of it, not judged yet: that is done for whoever waits, and what
   * was trained for an hour must not depend on it.
   */
  private FineTuneResult train(
      TuningRequest request,
      String digest,
      FineTuner.Listener listener,
      BooleanSupplier cancelled) {
    Accuracy before = accuracy(request.model(), request, cancelled);
    FineTuner.Tuned tuned =
        evaluator.tune(
            evaluation(request.model(), request, request.recipe()),
            Optional.of(checkpoint(digest)),
            listener,
            cancelled);
    StoredModel stored = store(tuned, request.name());
    FineTuneResult trained =
        FineTuneResult.newBuilder()
            .setModel(ModelDescription.toProto(stored))
            .setBefore(DataWire.toProto(before))
            .setSeconds(tuned.seconds())
            .setImagesPerSecond(tuned.imagesPerSecond())
            .build();
    keep(trained, digest);
    return trained;
  }

  private FineTuneResult judge(
      TuningRequest request, String digest, FineTuneResult trained, BooleanSupplier cancelled) {
    ImportedModel model = models.get(trained.getModel().getId(), cancelled);
    Accuracy after = accuracy(model, request, cancelled);
    FineTuneResult result = trained.toBuilder().setAfter(DataWire.toProto(after)).build();
    keep(result, digest);
    return result;
  }

  /** Puts the result in the checkpoint's place; where the disk refuses it, the model is there. */
  private void keep(FineTuneResult result, String digest) {
    try {
      Path written = Files.createTempFile(folder, digest, ".part");
      try {
        Files.writeString(written, JsonFormat.printer().print(result));
        Files.move(written, result(digest), StandardCopyOption.ATOMIC_MOVE);
        Files.deleteIfExists(checkpoint(digest));
      } finally {
        Files.deleteIfExists(written);
      }
    } catch (IOException e) {
      LOG.warn("the result {} cannot be kept; an equal request trains again", result(digest), e);
    }
  }

  private Path checkpoint(String digest) {
    return folder.resolve(digest + CHECKPOINT);
  }

  /** On the images that judge; those who get here have waited in line already. */
  private Accuracy accuracy(ImportedModel model, TuningRequest request, BooleanSupplier cancelled) {
    return evaluator
        .evaluateUnderWay(evaluation(model, request, request.recipe().untrained()), cancelled)
        .accuracy();
  }

  private static EvaluationRequest evaluation(
      ImportedModel model, TuningRequest request, Recipe recipe) {
    return new EvaluationRequest(
        model, request.data(), Optional.of(request.policy()), recipe, false);
  }

  /** Stored also when nobody waits for it any more. */
  private StoredModel store(FineTuner.Tuned tuned, String name) {
    Path upload = models.newUpload();
    try {
      CnnGraph graph = tuned.graph();
      Files.write(
          upload,
          ExportedModel.withOwnInput(FloatGraph.write(graph, List.of(graph.output())), graph)
              .toByteArray());
    } catch (IOException e) {
      models.discard(upload);
      throw failed("the tuned model cannot be stored", e);
    }
    return models.addMade(upload, name, () -> closed);
  }

  /** The result of an equal request; empty where there is none, or its model is gone. */
  private Optional<FineTuneResult> known(String digest) {
    Path file = result(digest);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      FineTuneResult result = read(file);
      models.describe(result.getModel().getId());
      return Optional.of(result);
    } catch (IOException | HaqException e) {
      LOG.warn("the result {} is passed over", file, e);
      return Optional.empty();
    }
  }

  private Path result(String digest) {
    return folder.resolve(digest + RESULT);
  }

  private static HaqException stopping(HaqException cause) {
    return new HaqException(
        Reason.UNAVAILABLE,
        "the service is stopping: call again, fine-tuning goes on from its last epoch",
        cause);
  }

  private static HaqException failed(String what, Exception e) {
    return DiskErrors.failed(what, e);
  }

  /** Stops what is under way after its step at hand; checkpoints stay. */
  @Override
  public void close() {
    closed = true;
  }
}
