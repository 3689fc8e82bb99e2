package dev.haq.quantizer.models;

import static dev.haq.quantizer.importing.Imports.SIDE;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.haq.quantizer.importing.SmallModel;
import dev.haq.quantizer.onnx.ImportedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ModelStoreTest {
  @TempDir Path folder;

  @Test
  void callersThatWantTheSameModelGetWhatOneOfThemRead() throws IOException {
    String id = add(new ModelStore(folder, 1 << 20, 4), small(5));
    ModelStore restarted = new ModelStore(folder, 1 << 20, 4);
    ExecutorService callers = Executors.newFixedThreadPool(8);
    try {
      List<CompletableFuture<ImportedModel>> wanted =
          Stream.generate(
                  () ->
                      CompletableFuture.supplyAsync(() -> restarted.get(id, () -> false), callers))
              .limit(8)
              .toList();
      ImportedModel model = restarted.get(id, () -> false);
      wanted.forEach(other -> assertSame(model, other.join()));
    } finally {
      callers.shutdown();
    }
  }

  @Test
  void aLargeModelTakesThePlaceOfAllThatDoNotFitBesideIt() throws IOException {
    byte[] small = small(5);
    ModelStore store = new ModelStore(folder, 5L * small.length / 2, 4);
    String first = add(store, small);
    String second = add(store, small(6));
    ImportedModel kept = store.get(first, () -> false);
    ImportedModel alsoKept = store.get(second, () -> false);
    assertSame(kept, store.get(first, () -> false));
    SmallModel wide = new SmallModel(3, SIDE, SIDE);
    String features = wide.pooled(wide.conv("image", 3, 3 * small.length / 48, 1, 1, 1));
    String large = add(store, wide.bytes(wide.gemm(features, 3 * small.length / 48, 5)));

    assertSame(store.get(large, () -> false), store.get(large, () -> false));
    assertNotSame(kept, store.get(first, () -> false));
    assertNotSame(alsoKept, store.get(second, () -> false));
  }

  private static byte[] small(int classes) {
    SmallModel model = new SmallModel(3, SIDE, SIDE);
    return model.bytes(model.gemm(model.pooled(model.conv("image", 3, 8, 3, 1, 1)), 8, classes));
  }

  private static String add(ModelStore store, byte[] bytes) throws IOException {
    return store
        .add(Files.write(store.newUpload(), bytes), "name", Optional.empty(), () -> false)
        .id();
  }
}
