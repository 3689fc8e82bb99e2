package dev.haq.quantizer.grpc;

import static dev.haq.quantizer.grpc.RunningQuantizer.smallModel;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import com.google.protobuf.util.JsonFormat;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.ListModelsRequest;
import dev.haq.proto.quantizer.v1.ListModelsResponse;
import dev.haq.proto.quantizer.v1.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What of a model lasts beyond the process that imported it. */
final class StoredModelsTest {
  @TempDir Path folder;

  @Test
  void modelsAreListedWithoutBeingRead() throws IOException {
    Model imported;
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      imported = quantizer.importModel(smallModel(5));
      assertEquals(List.of(builtin(quantizer), imported), list(quantizer));
    }
    // A model that this version no longer takes must not hide the others.
    Files.writeString(file(imported, ".onnx"), "no model any more");
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      assertEquals(List.of(builtin(quantizer), imported), list(quantizer));
      assertEquals(imported, get(quantizer, imported.getId()));
    }
  }

  @Test
  void aDamagedDescriptionHidesNoOtherModelAndTheNextImportMendsALostOne() throws IOException {
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      Model damaged = quantizer.importModel(smallModel(5));
      Model lost = quantizer.importModel(smallModel(6));
      Model whole = quantizer.importModel(smallModel(7));
      Files.writeString(file(damaged, ".json"), "{\"id\": ");
      Files.delete(file(lost, ".json"));
      assertEquals(List.of(builtin(quantizer), whole), list(quantizer));
      Model again = quantizer.importModel(smallModel(6));
      assertEquals(lost.getNetwork(), again.getNetwork());
      assertEquals(List.of(builtin(quantizer), whole, again), list(quantizer));
    }
  }

  @Test
  void theSameModelIsAnsweredAsItIs() {
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      assertEquals(quantizer.importModel(smallModel(5)), quantizer.importModel(smallModel(5)));
    }
  }

  @Test
  void aPageOfLargeModelsStaysBelowWhatClientsTake() throws IOException {
    Model imported;
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      imported = quantizer.importModel(smallModel(5));
    }
    List<String> ids = new ArrayList<>(List.of("builtin:shapes", imported.getId()));
    for (int i = 0; i < 12; i++) {
      ids.add(copied(imported, i, 1000));
    }
    ids.add(copied(imported, 12, 10_000));
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      List<Model> all = new ArrayList<>();
      String token = "";
      int pages = 0;
      do {
        // A client that takes 4 MiB, as all do unless they are told otherwise.
        ListModelsResponse page =
            quantizer.stub().listModels(ListModelsRequest.newBuilder().setPageToken(token).build());
        all.addAll(page.getModelsList());
        token = page.getNextPageToken();
        pages++;
      } while (!token.isEmpty());
      assertEquals(ids, all.stream().map(Model::getId).toList());
      assertTrue(pages > 1 && pages < ids.size(), pages + " pages");
      assertEquals(1000, all.get(2).getNetwork().getLayersCount());
      assertEquals(0, all.get(14).getNetwork().getLayersCount(), "a page is too small for them");
    }
  }

  /** A model of which only the description is another's: with so many layers of long names. */
  private String copied(Model model, int number, int layers) throws IOException {
    String hash = "%064x".formatted(number);
    Model.Builder copy = model.toBuilder().setId("sha256:" + hash);
    copy.getCreateTimeBuilder().setSeconds(model.getCreateTime().getSeconds() + 1 + number);
    copy.getNetworkBuilder().setModelId(copy.getId()).clearLayers();
    for (int i = 0; i < layers; i++) {
      copy.getNetworkBuilder()
          .addLayers(model.getNetwork().getLayers(0).toBuilder().setName("n".repeat(380) + i));
    }
    Path models = folder.resolve("models");
    Files.copy(file(model, ".onnx"), models.resolve(hash + ".onnx"));
    Files.writeString(models.resolve(hash + ".json"), JsonFormat.printer().print(copy));
    return copy.getId();
  }

  @Test
  void aLayerWhoseNameIsTooLongIsCalledAfterItsOperatorAndItsPlace() throws IOException {
    ModelProto.Builder model = ModelProto.parseFrom(smallModel(5)).toBuilder();
    for (NodeProto.Builder node : model.getGraphBuilder().getNodeBuilderList()) {
      node.setName(node.getOpType() + "n".repeat(node.getOpType().equals("Conv") ? 397 : 396));
    }
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      Model imported = quantizer.importModel(model.build().toByteArray());
      assertEquals(
          List.of("Conv_0", "Gemm" + "n".repeat(396)),
          imported.getNetwork().getLayersList().stream().map(layer -> layer.getName()).toList());
    }
  }

  @Test
  void whatKilledProcessesLeftIsClearedAwayAfterADay() throws IOException {
    Path models = folder.resolve("models");
    List<Path> abandoned =
        List.of(
            file(models, "upload1.part"),
            file(models.resolve("unpacked1"), "0"),
            file(folder.resolve("tunings"), "checkpoint1.part"),
            file(folder.resolve("sensitivity"), "1.part"),
            file(Files.createTempDirectory("haq-model"), "weights"));
    List<Path> underWay =
        List.of(
            file(models, "upload2.part"),
            file(models.resolve("unpacked2"), "0"),
            file(Files.createTempDirectory("haq-model"), "weights"));
    Path kept = file(folder.resolve("tunings"), "1.checkpoint");
    for (Path file : abandoned) {
      makeOld(file);
      makeOld(file.getParent());
    }
    makeOld(kept);
    makeOld(folder);
    try (RunningQuantizer quantizer = new RunningQuantizer(folder)) {
      abandoned.forEach(file -> assertFalse(Files.exists(file), file.toString()));
      assertFalse(Files.exists(models.resolve("unpacked1")));
      underWay.forEach(file -> assertTrue(Files.exists(file), file.toString()));
      assertTrue(Files.exists(kept));
      assertEquals(List.of(builtin(quantizer)), list(quantizer));
    } finally {
      Files.delete(underWay.get(2));
      Files.delete(underWay.get(2).getParent());
    }
  }

  private static Path file(Path folder, String name) throws IOException {
    return Files.writeString(Files.createDirectories(folder).resolve(name), "half a mod");
  }

  private static void makeOld(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
  }

  private Path file(Model model, String suffix) {
    return folder.resolve("models").resolve(model.getId().substring("sha256:".length()) + suffix);
  }

  private static Model builtin(RunningQuantizer quantizer) {
    return get(quantizer, "builtin:shapes");
  }

  private static Model get(RunningQuantizer quantizer, String id) {
    return quantizer.stub().getModel(GetModelRequest.newBuilder().setId(id).build());
  }

  private static List<Model> list(RunningQuantizer quantizer) {
    return quantizer.stub().listModels(ListModelsRequest.getDefaultInstance()).getModelsList();
  }
}
