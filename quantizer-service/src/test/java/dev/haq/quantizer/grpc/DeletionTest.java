package dev.haq.quantizer.grpc;

import static dev.haq.quantizer.grpc.RunningQuantizer.refused;
import static dev.haq.quantizer.grpc.RunningQuantizer.smallModel;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.BitChoices;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.DeleteDatasetRequest;
import dev.haq.proto.quantizer.v1.DeleteModelRequest;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import dev.haq.proto.quantizer.v1.GetDatasetRequest;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsRequest;
import dev.haq.proto.quantizer.v1.ListDatasetsResponse;
import dev.haq.proto.quantizer.v1.ListModelsRequest;
import dev.haq.proto.quantizer.v1.ListModelsResponse;
import dev.haq.proto.quantizer.v1.MeasureSensitivityRequest;
import dev.haq.proto.quantizer.v1.MeasureSensitivityResponse;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.quantizer.builtin.BuiltinShapes;
import dev.haq.quantizer.data.Samples;
import dev.haq.rpc.RpcErrors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Stored models and datasets are deleted, with all that is kept because of them. */
@Timeout(120)
final class DeletionTest {
  @TempDir private Path folder;

  @Test
  void nothingIsLeftOfADeletedModelAndItCanBeImportedAgain() throws IOException {
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      evaluate(quantizer, quantizer.importModel(smallModel(11)), BuiltinShapes.ID);
      Set<String> before = files();
      List<String> others = models(quantizer);
      Model model = quantizer.importModel(smallModel(10));
      evaluate(quantizer, model, BuiltinShapes.ID);
      measure(quantizer, model, BuiltinShapes.ID);
      assertTrue(files().size() > before.size() + 2, "both files, and sensitivities");

      delete(quantizer, model);

      assertEquals(before, files());
      unknownModel(() -> get(quantizer, model));
      unknownModel(() -> evaluate(quantizer, model, BuiltinShapes.ID));
      unknownModel(() -> delete(quantizer, model));
      assertEquals(others, models(quantizer));
      assertEquals(model.getId(), quantizer.importModel(smallModel(10)).getId());
      assertFalse(evaluate(quantizer, model, BuiltinShapes.ID).getCached());
    }
  }

  @Test
  void nothingIsLeftOfADeletedDatasetAndItCanBeImportedAgain() throws IOException {
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      Model model = quantizer.importModel(smallModel(10));
      evaluate(quantizer, model, BuiltinShapes.ID);
      Set<String> before = files();
      byte[] photographs = photographs(20);
      Dataset data = quantizer.importDataset(photographs);
      assertEquals(data, get(quantizer, data));
      evaluate(quantizer, model, data.getId());
      measure(quantizer, model, data.getId());

      delete(quantizer, data);

      assertEquals(before, files());
      unknownDataset(() -> get(quantizer, data));
      unknownDataset(() -> evaluate(quantizer, model, data.getId()));
      unknownDataset(() -> measure(quantizer, model, data.getId()));
      unknownDataset(() -> delete(quantizer, data));
      assertEquals(List.of(BuiltinShapes.ID), datasets(quantizer));
      assertEquals(data.getId(), quantizer.importDataset(photographs).getId());
      assertFalse(evaluate(quantizer, model, data.getId()).getCached());
    }
  }

  @Test
  void theRoomOfADeletedDatasetIsGivenBackWhileTheServiceRuns() throws Exception {
    Path maps = Path.of("/proc/self/maps");
    Assumptions.assumeTrue(Files.exists(maps), "the mapped files of a process are not told here");
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      Dataset data = quantizer.importDataset(photographs(20));
      evaluate(quantizer, quantizer.importModel(smallModel(10)), data.getId());
      assertTrue(mapped(maps), "prepared images are read through a mapping");
      delete(quantizer, data);
      while (mapped(maps)) {
        Thread.sleep(20); // until what is collected is unmapped
      }
    }
  }

  private boolean mapped(Path maps) throws IOException {
    return Files.readString(maps, StandardCharsets.ISO_8859_1).contains(folder + "/datasets/");
  }

  @Test
  void whatIsBuiltInIsNotDeleted() {
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      HaqException model =
          refused(
              Status.Code.INVALID_ARGUMENT,
              Reason.INVALID_ARGUMENT,
              () -> delete(quantizer, Model.newBuilder().setId(BuiltinShapes.ID).build()));
      assertTrue(model.getMessage().contains("built in"), model.getMessage());
      refused(
          Status.Code.INVALID_ARGUMENT,
          Reason.INVALID_ARGUMENT,
          () -> delete(quantizer, Dataset.newBuilder().setId(BuiltinShapes.ID).build()));
      for (String id : List.of("", "nothing", "sha256:../../models", "sha256:" + "0".repeat(64))) {
        unknownModel(() -> delete(quantizer, Model.newBuilder().setId(id).build()));
        unknownDataset(() -> delete(quantizer, Dataset.newBuilder().setId(id).build()));
      }
    }
  }

  @Test
  void aReplicaDoesNotAnswerFromMemoryWhatAnotherHasDeleted() throws IOException {
    try (RunningQuantizer one = new RunningQuantizer(folder);
        RunningQuantizer other = new RunningQuantizer(folder)) {
      Model model = one.importModel(smallModel(10));
      Dataset data = one.importDataset(photographs(20));
      evaluate(other, model, BuiltinShapes.ID);
      evaluate(other, model, data.getId());
      delete(one, data);
      unknownDataset(() -> evaluate(other, model, data.getId()));
      delete(one, model);
      unknownModel(() -> evaluate(other, model, BuiltinShapes.ID));
    }
  }

  @Test
  void evaluationsUnderWayEndOrAreToldWhatIsMissing() throws Exception {
    ExecutorService callers = Executors.newFixedThreadPool(8);
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      byte[] pictures = photographs(200);
      for (int round = 0; round < 5; round++) {
        Model model = quantizer.importModel(smallModel(10));
        Dataset data = quantizer.importDataset(pictures);
        List<CompletableFuture<EvaluateResponse>> calls = new ArrayList<>();
        CountDownLatch answered = new CountDownLatch(round);
        for (int bits = 2; bits <= 8; bits++) {
          EvaluateRequest request = request(model, data.getId(), bits);
          calls.add(
              CompletableFuture.supplyAsync(() -> quantizer.stub().evaluate(request), callers)
                  .whenComplete((answer, failure) -> answered.countDown()));
        }
        answered.await(); // others are under way, or wait
        delete(quantizer, data);
        delete(quantizer, model);
        for (CompletableFuture<EvaluateResponse> call : calls) {
          call.handle((answer, failure) -> ended(failure)).join();
        }
      }
    } finally {
      callers.shutdown();
      assertTrue(callers.awaitTermination(30, TimeUnit.SECONDS));
    }
  }

  private static boolean ended(Throwable failure) {
    if (failure != null) {
      HaqException error = RpcErrors.translate(failure);
      assertTrue(
          Set.of(Reason.UNKNOWN_MODEL, Reason.UNKNOWN_DATASET).contains(error.reason()),
          error.toString());
    }
    return true;
  }

  @Test
  void aPageIsNotShiftedByWhatIsDeletedBeforeIt() {
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      List<Model> models = new ArrayList<>();
      for (int classes = 2; classes < 6; classes++) {
        models.add(quantizer.importModel(smallModel(classes)));
      }
      ListModelsResponse first =
          quantizer.stub().listModels(ListModelsRequest.newBuilder().setPageSize(3).build());
      assertEquals(models.get(1), first.getModels(2));
      delete(quantizer, models.get(0));
      delete(quantizer, models.get(1));
      ListModelsResponse second =
          quantizer
              .stub()
              .listModels(
                  ListModelsRequest.newBuilder().setPageToken(first.getNextPageToken()).build());
      assertEquals(models.subList(2, 4), second.getModelsList());
      assertEquals("", second.getNextPageToken());
      ListDatasetsResponse datasets =
          quantizer.stub().listDatasets(ListDatasetsRequest.newBuilder().setPageSize(1).build());
      assertEquals("", datasets.getNextPageToken());
      refused(
          Status.Code.INVALID_ARGUMENT,
          Reason.INVALID_ARGUMENT,
          () ->
              quantizer
                  .stub()
                  .listModels(ListModelsRequest.newBuilder().setPageToken("2").build()));
    }
  }

  @Test
  void aDeletionThatWasKilledHalfWayLeavesNoEntryAndIsFinishedAfterADay() throws IOException {
    Model model;
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      model = quantizer.importModel(smallModel(10));
    }
    String hash = model.getId().substring("sha256:".length());
    Path models = folder.resolve("models");
    Files.delete(models.resolve(hash + ".onnx"));
    Path moved = Files.createDirectory(folder.resolve("datasets/.incoming/deleted1"));
    Files.writeString(moved.resolve("content"), "photographs");
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      assertEquals(List.of(BuiltinShapes.ID), models(quantizer));
      assertEquals(List.of(BuiltinShapes.ID), datasets(quantizer));
      unknownModel(() -> delete(quantizer, model));
    }
    FileTime old = FileTime.from(Instant.now().minus(Duration.ofDays(2)));
    Files.setLastModifiedTime(models.resolve(hash + ".json"), old);
    Files.setLastModifiedTime(moved, old);
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      assertEquals(Set.of(), files());
      assertEquals(model.getId(), quantizer.importModel(smallModel(10)).getId());
      assertEquals(List.of(BuiltinShapes.ID, model.getId()), models(quantizer));
    }
  }

  @Test
  void aMeasurementUnderWayLeavesNothingOfADeletedDataset() throws IOException {
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      Set<String> before = files();
      Dataset data = quantizer.importDataset(photographs(20));
      Iterator<MeasureSensitivityResponse> parts =
          quantizer
              .stub()
              .measureSensitivity(
                  measurement(Model.newBuilder().setId(BuiltinShapes.ID).build(), data.getId()));
      parts.next();
      parts.next();
      delete(quantizer, data);
      try {
        parts.forEachRemaining(part -> {});
      } catch (StatusRuntimeException e) {
        ended(e);
      }
      assertEquals(before, files());
    }
  }

  @Test
  void whatIsKeptOfNothingThatIsStoredIsRemovedAtAStartADayLater() throws IOException {
    Set<String> kept;
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      Model model = quantizer.importModel(smallModel(10));
      measure(quantizer, model, BuiltinShapes.ID);
      kept = files();
      measure(quantizer, model, quantizer.importDataset(photographs(20)).getId());
      measure(quantizer, quantizer.importModel(smallModel(11)), BuiltinShapes.ID);
    }
    for (String file : files()) { // as of a deletion that was killed
      if (!kept.contains(file)
          && (file.startsWith("models/") || file.matches("datasets/[0-9a-f].*"))) {
        Files.delete(folder.resolve(file));
      }
    }
    try (Stream<Path> folders = Files.list(folder.resolve("datasets"))) {
      for (Path data : (Iterable<Path>) folders.filter(f -> !isHidden(f))::iterator) {
        Files.delete(data);
      }
    }
    for (String old : List.of("sensitivity/%s.sensitivity", "tunings/%s.json")) {
      Files.writeString(folder.resolve(old.formatted("0".repeat(64))), "{}");
    }
    assertTrue(files().size() > kept.size() + 3, "what is kept of both is there");
    Set<String> left = files();
    new RunningQuantizer(folder).close();
    assertEquals(left, files(), "what is young may be of what is being stored elsewhere");
    FileTime twoDaysAgo = FileTime.from(Instant.now().minus(Duration.ofDays(2)));
    for (String file : left) {
      Files.setLastModifiedTime(folder.resolve(file), twoDaysAgo);
    }
    new RunningQuantizer(folder).close();
    assertEquals(kept, files());
  }

  private static boolean isHidden(Path file) {
    return file.getFileName().toString().startsWith(".");
  }

  private static EvaluateResponse evaluate(RunningQuantizer quantizer, Model model, String data) {
    return quantizer.stub().evaluate(request(model, data, 4));
  }

  private static EvaluateRequest request(Model model, String data, int bits) {
    LayerBits layer = LayerBits.newBuilder().setWeightBits(bits).setActivationBits(bits).build();
    return EvaluateRequest.newBuilder()
        .setModel(model.getId())
        .setData(selection(data))
        .setPolicy(Policy.newBuilder().addLayers(layer).addLayers(layer))
        .setMeasureDivergence(true)
        .build();
  }

  private static void measure(RunningQuantizer quantizer, Model model, String data) {
    quantizer.stub().measureSensitivity(measurement(model, data)).forEachRemaining(part -> {});
  }

  private static MeasureSensitivityRequest measurement(Model model, String data) {
    return MeasureSensitivityRequest.newBuilder()
        .setModel(model.getId())
        .setData(selection(data))
        .setWeightBits(BitChoices.newBuilder().addBits(4))
        .setActivationBits(BitChoices.newBuilder().addBits(4))
        .build();
  }

  private static DataSelection selection(String dataset) {
    return DataSelection.newBuilder()
        .setDataset(dataset)
        .setSplit(DataSelection.Split.SEARCH)
        .build();
  }

  private static byte[] photographs(int count) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      files.put(i % 2 + "/" + i + ".png", Samples.png(32, 32, 0x010203 * i));
    }
    return Samples.zip(files);
  }

  private static Model get(RunningQuantizer quantizer, Model model) {
    return quantizer.stub().getModel(GetModelRequest.newBuilder().setId(model.getId()).build());
  }

  private static Dataset get(RunningQuantizer quantizer, Dataset data) {
    return quantizer.stub().getDataset(GetDatasetRequest.newBuilder().setId(data.getId()).build());
  }

  private static void delete(RunningQuantizer quantizer, Model model) {
    quantizer.stub().deleteModel(DeleteModelRequest.newBuilder().setId(model.getId()).build());
  }

  private static void delete(RunningQuantizer quantizer, Dataset data) {
    quantizer.stub().deleteDataset(DeleteDatasetRequest.newBuilder().setId(data.getId()).build());
  }

  private static List<String> models(RunningQuantizer quantizer) {
    return quantizer
        .stub()
        .listModels(ListModelsRequest.getDefaultInstance())
        .getModelsList()
        .stream()
        .map(Model::getId)
        .toList();
  }

  private static List<String> datasets(RunningQuantizer quantizer) {
    return quantizer
        .stub()
        .listDatasets(ListDatasetsRequest.getDefaultInstance())
        .getDatasetsList()
        .stream()
        .map(Dataset::getId)
        .toList();
  }

  private static void unknownModel(org.junit.jupiter.api.function.Executable call) {
    refused(Status.Code.NOT_FOUND, Reason.UNKNOWN_MODEL, call);
  }

  private static void unknownDataset(org.junit.jupiter.api.function.Executable call) {
    refused(Status.Code.NOT_FOUND, Reason.UNKNOWN_DATASET, call);
  }

  private Set<String> files() throws IOException {
    Set<String> found = new TreeSet<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        found.add(folder.relativize(file).toString());
      }
    }
    return found;
  }
}
