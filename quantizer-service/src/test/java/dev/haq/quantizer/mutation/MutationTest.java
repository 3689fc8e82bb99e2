package dev.haq.quantizer.mutation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small share of {@link MutationRun}. */
final class MutationTest {
  private static final int MUTANTS = 300;

  /**
   * A function that comes to 50,000 nodes, which took ONNX Runtime half a minute, and weights of 1
   * GiB that are filled in.
   */
  private static final long[] ONCE_TAKEN = {202824, 704521};

  @TempDir Path folder;

  @Test
  void damagedFilesAreTakenOrRefusedWithAReasonOfTheCallersKind() throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    for (long seed = 0; seed < MUTANTS; seed++) {
      String outcome = MutationRun.outcome(Mutant.of(seed), folder);
      assertTrue(MutationRun.isKind(outcome), "seed " + seed + ": " + outcome);
      counts.merge(outcome, 1, Integer::sum);
    }
    assertEquals(0, MutationRun.left(folder), "nothing is left of what was refused");
    assertTrue(counts.keySet().size() > 4, "many kinds of damage are met: " + counts);
    assertTrue(counts.getOrDefault("accepted", 0) < MUTANTS / 2, "most are damaged: " + counts);
  }

  @Test
  void filesThatOnceTookTooLongOrTooMuchMemoryAreRefused() throws IOException {
    for (long seed : ONCE_TAKEN) {
      String outcome = MutationRun.outcome(Mutant.of(seed), folder);
      assertTrue(MutationRun.isKind(outcome), "seed " + seed + ": " + outcome);
      assertNotEquals("accepted", outcome, "seed " + seed);
    }
  }
}
