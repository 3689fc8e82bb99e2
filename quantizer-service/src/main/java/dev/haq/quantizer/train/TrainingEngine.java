package dev.haq.quantizer.train;

import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDManager;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.nio.file.Files;
import java.nio.file.Path;

/** The training library, loaded when it is first needed: its native part takes 300 MB. */
final class TrainingEngine {
  /** Where the library unpacks its native part; below the home folder when it is not said. */
  private static final String CACHE = "DJL_CACHE_DIR";

  private static final String NAME = "PyTorch";

  private static Engine engine;

  private TrainingEngine() {}

  /**
   * @param threads that compute; counts when it is first called
   */
  static synchronized Engine get(int threads) {
    if (engine == null) {
      // The natives lie on the class path: nothing is to be fetched and nobody told.
      System.setProperty("ai.djl.offline", "true");
      System.setProperty("OPT_OUT_TRACKING", "true");
      if (System.getProperty("ai.djl.pytorch.num_threads") == null) {
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(threads));
      }
      if (System.getenv(CACHE) == null
          && System.getProperty(CACHE) == null
          && !Files.isWritable(Path.of(System.getProperty("user.home")))) {
        System.setProperty(CACHE, Path.of(System.getProperty("java.io.tmpdir"), "djl").toString());
      }
      engine = load();
    }
    return engine;
  }

  private static Engine load() {
    try {
      Engine found = Engine.getEngine(NAME);
      if (found != null) {
        return found;
      }
      throw missing("it is not on the class path", null);
    } catch (EngineException | LinkageError e) {
      throw missing(e.getMessage(), e);
    }
  }

  private static HaqException missing(String why, Throwable cause) {
    return new HaqException(
        Reason.INTERNAL,
        "this quantizer cannot fine-tune: its training library (DJL's %s engine) does not load: %s"
            .formatted(NAME, why),
        cause);
  }

  /** Owns arrays on the library's default device: a graphics processor where there is one. */
  static NDManager newManager(int threads) {
    return get(threads).newBaseManager();
  }
}
