package dev.haq.quantizer.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.FineTuning;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.proto.quantizer.v1.DeleteModelRequest;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.FineTuneProgress;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.FineTuneResponse;
import dev.haq.proto.quantizer.v1.FineTuneResult;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.quantizer.data.Samples;
import dev.haq.quantizer.importing.SmallModel;
import dev.haq.wire.DataWire;
import io.grpc.Context;
import io.grpc.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fine-tuning over gRPC, on the built-in images. */
final class FineTuneTest {
  private static final String SHAPES = "builtin:shapes";

  @TempDir static Path folder;
  private static RunningQuantizer quantizer;
  private static Model model;

  @BeforeAll
  static void start() {
    quantizer = new RunningQuantizer(folder);
    SmallModel small = new SmallModel(3, 32, 32);
    String first = small.relu(small.conv("image", 3, 8, 3, 2, 1));
    String second = small.relu(small.conv(first, 8, 8, 3, 2, 1));
    model = quantizer.importModel(small.bytes(small.gemm(small.pooled(second), 8, 10)));
  }

  @AfterAll
  static void stop() {
    quantizer.close();
  }

  private static DataSelection data(DataSelection.Split split, int images) {
    return DataSelection.newBuilder()
        .setDataset(SHAPES)
        .setSplit(split)
        .setMaxImages(images)
        .build();
  }

  private static Policy policy(Model of, int bits) {
    Policy.Builder policy = Policy.newBuilder();
    of.getNetwork()
        .getLayersList()
        .forEach(
            layer ->
                policy.addLayers(
                    LayerBits.newBuilder()
                        .setName(layer.getName())
                        .setWeightBits(bits)
                        .setActivationBits(bits)));
    return policy.build();
  }

  private static FineTuneRequest request(Model of, long seed, int epochs) {
    return FineTuneRequest.newBuilder()
        .setModel(of.getId())
        .setPolicy(policy(of, 4))
        .setData(data(DataSelection.Split.SEARCH, 100))
        .setRecipe(
            Recipe.newBuilder()
                .setName("haq-finetune")
                .setFineTuning(
                    FineTuning.newBuilder()
                        .setData(data(DataSelection.Split.CALIBRATION, 128))
                        .setEpochs(epochs)
                        .setLearningRate(0.05)
                        .setBatchSize(32)
                        .setSeed(seed)))
        .setName("tuned")
        .build();
  }

  private static List<FineTuneResponse> all(FineTuneRequest request) {
    List<FineTuneResponse> all = new ArrayList<>();
    quantizer.stub().fineTune(request).forEachRemaining(all::add);
    return all;
  }

  private static FineTuneResult result(List<FineTuneResponse> responses) {
    return responses.get(responses.size() - 1).getResult();
  }

  @Test
  void theTunedWeightsAreANewModelThatEvaluatesAsReported() {
    List<FineTuneResponse> responses = all(request(model, 1, 2));
    FineTuneProgress last = responses.get(responses.size() - 2).getProgress();
    assertEquals(2, last.getEpoch());
    assertEquals(4, last.getStep());
    assertEquals(4, last.getSteps());
    assertTrue(last.getImagesPerSecond() > 0);
    FineTuneResult result = result(responses);
    Model tuned = result.getModel();
    assertNotEquals(model.getId(), tuned.getId());
    assertEquals("tuned", tuned.getName());
    assertEquals(
        tuned,
        quantizer
            .stub()
            .getModel(
                dev.haq.proto.quantizer.v1.GetModelRequest.newBuilder()
                    .setId(tuned.getId())
                    .build()));
    for (boolean before : new boolean[] {true, false}) {
      Model which = before ? model : tuned;
      assertEquals(
          before ? result.getBefore() : result.getAfter(),
          quantizer
              .stub()
              .evaluate(
                  EvaluateRequest.newBuilder()
                      .setModel(which.getId())
                      .setPolicy(policy(model, 4))
                      .setData(data(DataSelection.Split.SEARCH, 100))
                      .build())
              .getAccuracy());
    }
  }

  @Test
  void anEpisodeFineTunesForItsOwnPolicy() {
    FineTuneRequest request = request(model, 5, 2);
    assertEquals(
        result(all(request)).getAfter(),
        quantizer
            .stub()
            .evaluate(
                EvaluateRequest.newBuilder()
                    .setModel(model.getId())
                    .setPolicy(request.getPolicy())
                    .setData(request.getData())
                    .setRecipe(request.getRecipe())
                    .build())
            .getAccuracy());
  }

  @Test
  void anEqualRequestIsAnsweredWithTheSameModelAtOnce() {
    FineTuneResult first = result(all(request(model, 2, 1)));
    List<FineTuneResponse> again = all(request(model, 2, 1));
    assertEquals(1, again.size());
    assertEquals(first, result(again));
  }

  @Test
  void aTrainingEndsHoweverManyEvaluationsWait() throws InterruptedException {
    EvaluateRequest evaluation =
        EvaluateRequest.newBuilder()
            .setModel(model.getId())
            .setPolicy(policy(model, 4))
            .setData(data(DataSelection.Split.SEARCH, 64))
            .build();
    try (Flood flood = new Flood(quantizer, evaluation)) {
      FineTuneResult result = result(all(request(model, 21, 1)));
      assertEquals(100, result.getBefore().getImages());
      assertEquals(100, result.getAfter().getImages());
      flood.awaitAnother();
    }
  }

  @Test
  void aTrainingWhoseCallerLeftBeforeItWasJudgedIsNotDoneAgain() {
    FineTuneRequest request = request(model, 22, 1);
    Context.CancellableContext caller = Context.current().withCancellation();
    caller.run(
        () -> {
          Iterator<FineTuneResponse> responses = quantizer.stub().fineTune(request);
          FineTuneProgress progress = responses.next().getProgress();
          while (progress.getStep() < progress.getSteps()) {
            progress = responses.next().getProgress();
          }
        });
    caller.cancel(null);
    List<FineTuneResponse> again = all(request);
    assertEquals(1, again.size(), "nothing is trained");
    assertEquals(100, result(again).getAfter().getImages());
    assertEquals(again, all(request));
  }

  @Test
  void aTunedModelThatWasDeletedIsTunedAnewAndNothingIsKeptForADeletedOne() throws IOException {
    List<Path> before = tunings();
    SmallModel small = new SmallModel(3, 32, 32);
    String features = small.relu(small.conv("image", 3, 8, 3, 2, 1));
    Model other = quantizer.importModel(small.bytes(small.gemm(small.pooled(features), 8, 12)));
    FineTuneResult first = result(all(request(other, 1, 1)));
    delete(first.getModel());
    assertEquals(before, tunings());
    List<FineTuneResponse> again = all(request(other, 1, 1));
    assertTrue(again.size() > 1, "it is trained");
    assertEquals(first.getModel().getId(), result(again).getModel().getId());
    assertEquals(before.size() + 1, tunings().size());
    delete(other);
    assertEquals(before, tunings());
    RunningQuantizer.refused(
        Status.Code.NOT_FOUND, Reason.UNKNOWN_MODEL, () -> all(request(other, 1, 1)));
  }

  private static void delete(Model which) {
    quantizer.stub().deleteModel(DeleteModelRequest.newBuilder().setId(which.getId()).build());
  }

  @Test
  void aCallerThatLeavesStopsTheTrainingAndAnEqualRequestGoesOnFromItsLastEpoch()
      throws IOException {
    FineTuneRequest request = request(model, 3, 100);
    Context.CancellableContext caller = Context.current().withCancellation();
    caller.run(
        () -> {
          Iterator<FineTuneResponse> responses = quantizer.stub().fineTune(request);
          int epoch = 0;
          while (epoch < 3) {
            epoch = responses.next().getProgress().getEpoch();
          }
        });
    caller.cancel(null);
    List<FineTuneResponse> rest = all(request);
    assertTrue(rest.get(0).getProgress().getEpoch() >= 3, rest.get(0).toString());
    FineTuneResult resumed = result(rest);
    // The same weights come of a training that nobody disturbed, in a service of its own.
    try (RunningQuantizer other =
        new RunningQuantizer(Files.createTempDirectory(folder, "other"))) {
      SmallModel small = new SmallModel(3, 32, 32);
      String first = small.relu(small.conv("image", 3, 8, 3, 2, 1));
      String second = small.relu(small.conv(first, 8, 8, 3, 2, 1));
      other.importModel(small.bytes(small.gemm(small.pooled(second), 8, 10)));
      List<FineTuneResponse> undisturbed = new ArrayList<>();
      other.stub().fineTune(request).forEachRemaining(undisturbed::add);
      assertEquals(result(undisturbed).getModel().getId(), resumed.getModel().getId());
    }
    try (Stream<Path> files = Files.list(folder.resolve("tunings"))) {
      assertFalse(files.anyMatch(file -> file.toString().endsWith(".checkpoint")));
    }
  }

  @Test
  void imagesToTrainOnArePreparedAsTheDatasetThatJudgesDeclaresWhereTheirsDeclaresNothing() {
    Preprocessing declared = Preprocessing.preset("cifar10");
    String judging = photographs(0, Optional.of("cifar10"));
    String plain = photographs(1, Optional.empty());
    String declaring = photographs(1, Optional.of("raw"));
    assertEquals(
        tunedOn(judging, plain, Optional.of(declared)), tunedOn(judging, plain, Optional.empty()));
    String raw = tunedOn(judging, plain, Optional.of(Preprocessing.preset("raw")));
    assertEquals(raw, tunedOn(judging, declaring, Optional.empty()), "their own way counts");
    assertNotEquals(raw, tunedOn(judging, plain, Optional.empty()));
  }

  /** Two classes of images of one colour each; answers the dataset's id. */
  private static String photographs(int seed, Optional<String> preset) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    preset.ifPresent(
        name ->
            files.put(
                "preprocess.yaml", ("preset: " + name + "\n").getBytes(StandardCharsets.UTF_8)));
    for (int i = 0; i < 8; i++) {
      files.put("a/" + i + ".png", Samples.png(32, 32, 0x100000 * i + seed));
      files.put("b/" + i + ".png", Samples.png(32, 32, 0x001000 * i + seed));
    }
    return quantizer.importDataset(Samples.zip(files)).getId();
  }

  /** The id of the model that comes of training; of equal weights it is the same. */
  private static String tunedOn(String judging, String training, Optional<Preprocessing> stated) {
    DataSelection.Builder trainingData =
        DataSelection.newBuilder().setDataset(training).setSplit(DataSelection.Split.ALL);
    stated.ifPresent(how -> trainingData.setPreprocessing(DataWire.toProto(how)));
    FineTuneRequest.Builder request = request(model, 9, 1).toBuilder();
    request.getDataBuilder().setDataset(judging).setSplit(DataSelection.Split.ALL);
    request.getRecipeBuilder().getFineTuningBuilder().setData(trainingData);
    return result(all(request.build())).getModel().getId();
  }

  @Test
  void whatCannotBeTrainedIsRefusedByName() {
    SmallModel small = new SmallModel(3, 32, 32);
    String odd =
        small.node(
            "ThresholdedRelu",
            List.of(small.conv("image", 3, 8, 3, 2, 1)),
            NodeProto.newBuilder().setName("/odd").build());
    Model strange = quantizer.importModel(small.bytes(small.gemm(small.pooled(odd), 8, 10)));
    HaqException refused =
        RunningQuantizer.refused(
            Status.Code.INVALID_ARGUMENT,
            Reason.UNSUPPORTED_OPERATOR,
            () -> all(request(strange, 1, 1)));
    assertTrue(refused.getMessage().contains("ThresholdedRelu"), refused.getMessage());
    assertTrue(refused.getMessage().contains("/odd"), refused.getMessage());
    RunningQuantizer.refused(
        Status.Code.INVALID_ARGUMENT,
        Reason.UNSUPPORTED_OPERATOR,
        () -> all(request(strange, 1, 1).toBuilder().setCheckOnly(true).build()));
    FineTuneRequest plain =
        request(model, 1, 1).toBuilder().setRecipe(Recipe.newBuilder().setName("haq")).build();
    HaqException untrained =
        RunningQuantizer.refused(
            Status.Code.INVALID_ARGUMENT, Reason.INVALID_ARGUMENT, () -> all(plain));
    assertTrue(untrained.getMessage().contains("haq-finetune"), untrained.getMessage());
  }

  @Test
  void trainingOnTheImagesThatJudgeIsRefusedWhereNoneAreNamed() {
    String judging = photographs(3, Optional.of("cifar10"));
    FineTuneRequest.Builder request = request(model, 11, 1).toBuilder();
    request.getDataBuilder().setDataset(judging).setSplit(DataSelection.Split.SEARCH);
    request.getRecipeBuilder().getFineTuningBuilder().clearData();
    for (boolean checkOnly : new boolean[] {true, false}) {
      HaqException refused =
          RunningQuantizer.refused(
              Status.Code.INVALID_ARGUMENT,
              Reason.INVALID_ARGUMENT,
              () -> all(request.setCheckOnly(checkOnly).build()));
      assertTrue(refused.getMessage().contains("fine_tuning.data"), refused.getMessage());
    }
    request.getDataBuilder().setSplit(DataSelection.Split.HELD_OUT);
    assertEquals(8, result(all(request.build())).getAfter().getImages());
  }

  @Test
  void aCheckTrainsNothing() throws IOException {
    FineTuneRequest request = request(model, 77, 1).toBuilder().setCheckOnly(true).build();
    List<Path> before = tunings();
    assertEquals(List.of(), all(request));
    assertEquals(before, tunings());
    FineTuneRequest.Builder elsewhere = request.toBuilder();
    elsewhere.getRecipeBuilder().getFineTuningBuilder().getDataBuilder().setDataset("sha256:00");
    RunningQuantizer.refused(
        Status.Code.NOT_FOUND, Reason.UNKNOWN_DATASET, () -> all(elsewhere.build()));
  }

  private static List<Path> tunings() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("tunings"))) {
      return files.sorted().toList();
    }
  }
}
