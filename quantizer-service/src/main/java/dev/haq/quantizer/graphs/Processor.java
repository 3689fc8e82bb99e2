package dev.haq.quantizer.graphs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What matters of the processor to integer arithmetic on bytes. */
public enum Processor {
  /** Products of unsigned and signed bytes are added exactly (VNNI, or not an x86). */
  ADDS_EXACTLY,
  /** They are added exactly, and 64 at once (AVX-512 VNNI). */
  ADDS_EXACTLY_IN_512,
  /** They are added in pairs in 16 bits, where they may saturate (x86 before VNNI). */
  ADDS_IN_16_BITS;

  private static final Path LINUX_DESCRIPTION = Path.of("/proc/cpuinfo");

  /** The processor that this runs on; the careful answer where it cannot be told. */
  public static Processor detect() {
    String architecture = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
    if (!architecture.equals("amd64") && !architecture.equals("x86_64")) {
      return ADDS_EXACTLY;
    }
    try {
      return ofDescription(Files.readString(LINUX_DESCRIPTION));
    } catch (IOException e) {
      return ADDS_IN_16_BITS;
    }
  }

  /**
   * @param description Linux's description of an x86 processor
   */
  static Processor ofDescription(String description) {
    if (description.contains("avx512_vnni")) {
      return ADDS_EXACTLY_IN_512;
    }
    return description.contains("avx_vnni") ? ADDS_EXACTLY : ADDS_IN_16_BITS;
  }
}
