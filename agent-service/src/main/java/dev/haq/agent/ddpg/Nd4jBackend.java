package dev.haq.agent.ddpg;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.nativeblas.NativeOpsHolder;

/**
 * Loads ND4J's native library in the form that is fastest here, on one thread.
 *
 * <p>ND4J picks its plain x86-64 library unless asked for another by a system property that is read
 * once. Small matrices run fastest on one thread, and one thread makes sums come out the same every
 * time.
 */
final class Nd4jBackend {
  private static final String EXTENSION_PROPERTY = "org.bytedeco.javacpp.platform.extension";
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  private Nd4jBackend() {}

  /** Loads the library, which takes seconds, unless it is loaded already. */
  static void warmUp() {
    Loaded.once();
  }

  /** The library variant for a processor with these {@code /proc/cpuinfo} flags. */
  static String extension(String cpuInfo) {
    if (cpuInfo.contains(" avx512f") && cpuInfo.contains(" avx512bw")) {
      return "-onednn-avx512";
    }
    return cpuInfo.contains(" avx2") ? "-onednn-avx2" : "";
  }

  private static String cpuInfo() {
    try {
      return Files.isReadable(CPU_INFO) ? Files.readString(CPU_INFO) : "";
    } catch (IOException e) {
      return ""; // the plain library runs everywhere
    }
  }

  /** Runs its initializer once per process, whoever comes first. */
  private static final class Loaded {
    static {
      if (System.getProperty(EXTENSION_PROPERTY) == null) {
        String extension = extension(cpuInfo());
        if (!extension.isEmpty()) {
          System.setProperty(EXTENSION_PROPERTY, extension);
        }
      }
      Nd4j.getEnvironment().setMaxThreads(1); // loads the library
      NativeOpsHolder.getInstance().getDeviceNativeOps().setOmpNumThreads(1);
      Nd4j.factory().blas().setMaxThreads(1);
    }

    private Loaded() {}

    /** Triggers the initializer. */
    static void once() {}
  }
}
