package dev.haq.quantizer.train;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;

/** The training library, loaded when it is first needed: its native part takes 300 MB. */
final class TrainingEngine {
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
      engine = Engine.getEngine("PyTorch");
    }
    return engine;
  }

  /** Owns arrays on the library's default device: a graphics processor where there is one. */
  static NDManager newManager(int threads) {
    return get(threads).newBaseManager();
  }
}
