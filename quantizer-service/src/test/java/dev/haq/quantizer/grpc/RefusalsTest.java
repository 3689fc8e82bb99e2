package dev.haq.quantizer.grpc;

import static dev.haq.quantizer.grpc.RunningQuantizer.smallModel;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.DataSelection;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.model.v1.Preprocessing;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.proto.quantizer.v1.Dataset;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.FineTuneRequest;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.ImportDatasetRequest;
import dev.haq.proto.quantizer.v1.ImportModelRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.quantizer.importing.SmallModel;
import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Bad input is refused with a typed reason, and leaves the data folder as it was. */
final class RefusalsTest {
  private static final String BUILTIN = "builtin:shapes";
  private static final int RECORD = 3073;

  @TempDir static Path folder;
  private static RunningQuantizer quantizer;
  private static Model tenClasses;
  private static Model twoClasses;
  private static Dataset nines;
  private Map<String, String> before;

  @BeforeAll
  static void start() {
    quantizer = new RunningQuantizer(folder);
    tenClasses = quantizer.importModel(smallModel(10));
    twoClasses = quantizer.importModel(smallModel(2));
    byte[] records = new byte[2 * RECORD];
    records[0] = 9;
    records[RECORD] = 9;
    nines = quantizer.importDataset(records);
  }

  @AfterAll
  static void stop() {
    quantizer.close();
  }

  @BeforeEach
  void lookAtTheFolder() throws IOException {
    before = files();
  }

  /** Soon: what was sent of a refused upload is deleted after the refusal is under way. */
  @AfterEach
  void theFolderIsAsItWas() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!before.equals(files()) && System.nanoTime() < deadline) {
      TimeUnit.MILLISECONDS.sleep(5);
    }
    assertEquals(before, files());
  }

  @Test
  void aModelThatIsCutOffIsRefused() {
    byte[] whole = smallModel(7);
    invalidModel(Arrays.copyOf(whole, whole.length / 2));
    invalidModel(new byte[0]);
  }

  @Test
  void anEvaluationOfNoDataSaysSo() {
    HaqException error =
        refused(
            Reason.INVALID_ARGUMENT,
            () ->
                quantizer
                    .stub()
                    .evaluate(EvaluateRequest.newBuilder().setModel("builtin:shapes").build()));
    assertTrue(error.getMessage().contains("no dataset is named"), error.getMessage());
  }

  @Test
  void aTextFileIsNoModel() {
    invalidModel("hello, this is text".getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aModelWithoutQuantizableLayersIsRefused() {
    SmallModel model = new SmallModel(3, 8, 8);
    byte[] bytes = model.bytes(model.pooled("image"));
    refused(Reason.NO_QUANTIZABLE_LAYERS, () -> quantizer.importModel(bytes));
  }

  @Test
  void aModelThatRefersToFilesOutsideIsRefusedWithTheirName() throws IOException {
    ModelProto.Builder model = ModelProto.parseFrom(smallModel(7)).toBuilder();
    TensorProto.Builder weights = model.getGraphBuilder().getInitializerBuilder(0);
    weights
        .clearRawData()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(
            StringStringEntryProto.newBuilder().setKey("location").setValue("../outside"));
    assertTrue(invalidModel(model.build().toByteArray()).getMessage().contains("'../outside'"));
  }

  @Test
  void anImageSizeThatOverflowsIsRefused() {
    SmallModel model = new SmallModel(3, 65536, 65536);
    String features = model.pooled(model.conv("image", 3, 4, 3, 2, 1));
    HaqException error = invalidModel(model.bytes(model.gemm(features, 4, 2)));
    assertTrue(error.getMessage().contains("input 'image' has more than"), error.getMessage());
  }

  @Test
  void malformedGraphsAreRefusedHoweverTheyAreMalformed() {
    SmallModel noInputs = new SmallModel(3, 8, 8);
    invalidModel(noInputs.bytes(noInputs.node("Conv")));
    SmallModel oldDropout = new SmallModel(3, 8, 8).opset(7);
    invalidModel(oldDropout.bytes(oldDropout.node("Dropout")));
    SmallModel huge = new SmallModel(3, 8, 8);
    huge.graph()
        .addInitializer(
            TensorProto.newBuilder()
                .setName("huge")
                .setDataType(TensorProto.DataType.FLOAT.getNumber())
                .addDims(2_000_000_000)
                .addDims(1));
    invalidModel(huge.bytes(huge.node("MatMul", huge.pooled("image"), "huge")));
  }

  @Test
  void windowsThatOnnxRuntimeWouldDivideByZeroForAreRefused() {
    for (NodeProto window : List.of(SmallModel.window(3, 0, 1), SmallModel.window(3, 1, 0))) {
      SmallModel model = new SmallModel(3, 8, 8);
      String weights = model.initializer(new float[4 * 3 * 9], 4, 3, 3, 3);
      invalidModel(
          model.bytes(model.pooled(model.node("Conv", List.of("image", weights), window))));
    }
  }

  @Test
  void anArchiveWhosePathsLeadOutIsRefused() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      zip.putNextEntry(new ZipEntry("../../cat/a.png"));
      zip.write(1);
      zip.closeEntry();
    }
    HaqException error =
        refused(Reason.INVALID_DATASET, () -> quantizer.importDataset(bytes.toByteArray()));
    assertTrue(error.getMessage().contains("../../cat/a.png"), error.getMessage());
  }

  @Test
  void dataThatIsNeitherFormatIsRefused() {
    refused(
        Reason.INVALID_DATASET,
        () -> quantizer.importDataset("no data".getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void anUploadWhoseHeaderIsMissingLateOrThereTwiceIsRefused() {
    ImportModelRequest model =
        ImportModelRequest.newBuilder()
            .setHeader(ImportModelRequest.Header.newBuilder().setName("late"))
            .build();
    ImportModelRequest chunk =
        ImportModelRequest.newBuilder().setChunk(ByteString.copyFrom(smallModel(7))).build();
    ImportDatasetRequest data =
        ImportDatasetRequest.newBuilder()
            .setHeader(ImportDatasetRequest.Header.newBuilder().setName("late"))
            .build();
    ImportDatasetRequest records =
        ImportDatasetRequest.newBuilder()
            .setChunk(ByteString.copyFrom(new byte[2 * RECORD]))
            .build();
    for (int[] order : new int[][] {{}, {1}, {1, 0}, {0, 1, 0}, {0, 0, 1}, {0, 2, 1}}) {
      invalid(
          () ->
              quantizer.importModel(
                  ordered(order, model, chunk, ImportModelRequest.getDefaultInstance())));
      invalid(
          () ->
              quantizer.importDataset(
                  ordered(order, data, records, ImportDatasetRequest.getDefaultInstance())));
    }
  }

  private static <Q> List<Q> ordered(int[] order, Q header, Q chunk, Q neither) {
    return Arrays.stream(order).mapToObj(i -> List.of(header, chunk, neither).get(i)).toList();
  }

  @Test
  void aNameThatIsTooLongIsRefused() {
    ImportModelRequest.Header model =
        ImportModelRequest.Header.newBuilder().setName("n".repeat(201)).build();
    ImportDatasetRequest.Header data =
        ImportDatasetRequest.Header.newBuilder().setName("n".repeat(201)).build();
    HaqException error =
        invalid(
            () ->
                quantizer.importModel(
                    List.of(ImportModelRequest.newBuilder().setHeader(model).build())));
    assertTrue(error.getMessage().contains("201 characters: use at most 200"), error.getMessage());
    invalid(
        () ->
            quantizer.importDataset(
                List.of(ImportDatasetRequest.newBuilder().setHeader(data).build())));
    FineTuneRequest tuning =
        FineTuneRequest.newBuilder()
            .setModel(tenClasses.getId())
            .setPolicy(bits(4))
            .setRecipe(Recipe.newBuilder().setName("haq-finetune"))
            .setData(data(BUILTIN))
            .setName("n".repeat(201))
            .build();
    invalid(() -> quantizer.stub().fineTune(tuning).hasNext());
  }

  private static HaqException invalid(Executable call) {
    return refused(Reason.INVALID_ARGUMENT, call);
  }

  @Test
  void labelsThatTheModelDoesNotKnowAreRefused() {
    refused(
        Reason.LABEL_OUT_OF_RANGE,
        () -> evaluate(request().setModel(twoClasses.getId()).setData(data(nines.getId()))));
  }

  @Test
  void imagesOfAnotherSizeAreRefused() {
    refused(
        Reason.IMAGE_SIZE_MISMATCH,
        () -> evaluate(request().setData(data(nines.getId()).setPreprocessing(with(0, 16)))));
  }

  @Test
  void aPreprocessingThatIsTooLargeIsRefused() {
    refused(
        Reason.INVALID_ARGUMENT,
        () -> evaluate(request().setData(data(nines.getId()).setPreprocessing(with(5000, 32)))));
  }

  @Test
  void unknownModelsAndDatasetsAreNotFound() {
    for (String id :
        List.of("sha256:" + "0".repeat(64), "sha256:../../etc/passwd", "", "nothing")) {
      notFound(
          Reason.UNKNOWN_MODEL,
          () -> quantizer.stub().getModel(GetModelRequest.newBuilder().setId(id).build()));
      notFound(Reason.UNKNOWN_MODEL, () -> evaluate(request().setModel(id)));
    }
    notFound(
        Reason.UNKNOWN_DATASET,
        () -> evaluate(request().setData(data("sha256:" + "0".repeat(64)))));
  }

  @Test
  void aPolicyForAnotherModelIsRefused() {
    refused(
        Reason.POLICY_MISMATCH,
        () -> evaluate(request().setPolicy(bits(8).setModel(twoClasses.getId()))));
    refused(
        Reason.POLICY_MISMATCH,
        () ->
            evaluate(
                request().setPolicy(bits(8).addLayers(LayerBits.newBuilder().setWeightBits(8)))));
  }

  @Test
  void nineBitsAreRefused() {
    refused(Reason.INVALID_BITS, () -> evaluate(request().setPolicy(bits(9))));
  }

  private static HaqException invalidModel(byte[] bytes) {
    return refused(Reason.INVALID_MODEL, () -> quantizer.importModel(bytes));
  }

  private static HaqException refused(Reason reason, Executable call) {
    return RunningQuantizer.refused(Status.Code.INVALID_ARGUMENT, reason, call);
  }

  private static void notFound(Reason reason, Executable call) {
    RunningQuantizer.refused(Status.Code.NOT_FOUND, reason, call);
  }

  private static void evaluate(EvaluateRequest.Builder request) {
    quantizer.stub().evaluate(request.build());
  }

  private static EvaluateRequest.Builder request() {
    return EvaluateRequest.newBuilder().setModel(tenClasses.getId()).setData(data(BUILTIN));
  }

  private static DataSelection.Builder data(String dataset) {
    return DataSelection.newBuilder().setDataset(dataset).setMaxImages(50);
  }

  private static Policy.Builder bits(int bits) {
    LayerBits layer = LayerBits.newBuilder().setWeightBits(bits).setActivationBits(bits).build();
    return Policy.newBuilder().addAllLayers(Collections.nCopies(2, layer));
  }

  private static Preprocessing.Builder with(int resize, int crop) {
    return Preprocessing.newBuilder()
        .setResizeShortSide(resize)
        .setCrop(crop)
        .addAllMean(List.of(0.0, 0.0, 0.0))
        .addAllStd(List.of(1.0, 1.0, 1.0));
  }

  /** Every path below the data folder, with what tells whether it was written to. */
  private static Map<String, String> files() throws IOException {
    Map<String, String> found = new TreeMap<>();
    // Images that were prepared before the refusal are a cache.
    try (Stream<Path> files =
        Files.walk(folder).filter(file -> !file.toString().contains(".prepared"))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        found.put(
            folder.relativize(file).toString(),
            Files.isDirectory(file)
                ? "folder"
                : Files.size(file) + " bytes of " + Files.getLastModifiedTime(file));
      }
    }
    return found;
  }
}
