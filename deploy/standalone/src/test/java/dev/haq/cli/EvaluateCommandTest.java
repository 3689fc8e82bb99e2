package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class EvaluateCommandTest {
  private static final String EVALUATE = "evaluate --model %s --data %s ";
  private static final String SHAPES = "builtin:shapes";

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void evaluationComparesAccuracyAndTime() {
    JsonNode document =
        services
            .run(EVALUATE + "--images 64 --split held-out --bits 8,8 --json", SHAPES, SHAPES)
            .done()
            .json();
    assertEquals(64, document.at("/float/images").asInt());
    assertEquals(64, document.at("/quantized/images").asInt());
    double floatSeconds = document.get("float_seconds").asDouble();
    assertTrue(floatSeconds > 0);
    assertEquals(
        document.get("seconds").asDouble() / floatSeconds,
        document.get("time_ratio").asDouble(),
        1e-12);
  }

  @Test
  void theBestRecipeWithoutTrainingBeatsThePapersAtThreeBitWeights() {
    double haq = threeBits("haq").at("/quantized/top1").asDouble();
    JsonNode best = threeBits("ptq");
    assertEquals("ptq@2", best.at("/recipe").asText());
    assertTrue(best.at("/quantized/top1").asDouble() > haq, "above " + haq);
  }

  private static JsonNode threeBits(String recipe) {
    return services
        .run(
            EVALUATE + "--split search --images 200 --bits 3,8 --recipe %s --json",
            SHAPES,
            SHAPES,
            recipe)
        .done()
        .json();
  }

  @Test
  void recipesAndClipsThatThereAreNotAreRefused() {
    services.run(EVALUATE + "--recipe cake", SHAPES, SHAPES).assertRefused("ptq@2");
    services.run(EVALUATE + "--recipe ptq@9", SHAPES, SHAPES).assertRefused("ptq@2");
    services.run(EVALUATE + "--weight-clip max", SHAPES, SHAPES).assertRefused("mse");
  }

  @Test
  void badModelsAreRefused() throws IOException {
    Path text = Files.writeString(folder.resolve("text.onnx"), "this is no network");
    services.run(EVALUATE, text, SHAPES).assertRefused("text.onnx");
    services.run(EVALUATE, folder.resolve("gone.onnx"), SHAPES).assertRefused("no such file");
    services.run(EVALUATE, "sha256:00", SHAPES).assertRefused("sha256:00");
  }

  @Test
  void badDataAreRefused() throws IOException {
    Path empty = Files.createDirectories(folder.resolve("empty"));
    services.run(EVALUATE, SHAPES, empty).assertRefused("no images");
    Path broken = Files.writeString(folder.resolve("broken.bin"), "17 bytes, no more");
    services.run(EVALUATE, SHAPES, broken).assertRefused("broken.bin");
    services.run(EVALUATE, SHAPES, folder.resolve("gone")).assertRefused("no such file");
  }
}
