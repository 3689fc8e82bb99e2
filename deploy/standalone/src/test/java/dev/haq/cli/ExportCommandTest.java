package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class ExportCommandTest {
  private static final String EXPORT = "export --model builtin:shapes --out %s ";

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  @Test
  void aModelAndItsPolicyAreExported() throws IOException {
    Path policy = folder.resolve("exported.json");
    services.run(EXPORT + "--format json --bits 5,6", policy).done();
    JsonNode layer = Json.tree(Files.readString(policy)).at("/layers/1");
    assertEquals(5, layer.get("weight_bits").asInt());
    assertEquals(6, layer.get("activation_bits").asInt());

    Path onnx = folder.resolve("exports/shapes.onnx");
    JsonNode document =
        services
            .run(
                EXPORT + "--format onnx --policy %s --data builtin:shapes --images 64 --json",
                onnx,
                policy)
            .done()
            .json();
    assertEquals(Files.size(onnx), document.get("size_bytes").asLong());
    assertEquals(64, document.at("/file_accuracy/images").asInt());
    assertEquals(
        document.at("/evaluated_accuracy/top1").asDouble(),
        document.at("/file_accuracy/top1").asDouble(),
        2);
    // What is exported is a model that can be imported: its layers are where they were.
    assertEquals(
        services.layers(),
        services
            .client()
            .importModel(onnx, "again", Optional.empty(), "again")
            .getNetwork()
            .getLayersCount());
  }

  @Test
  void anExportThatCannotBeIsRefusedAndLeavesNoFile() {
    Path out = folder.resolve("refused.onnx");
    services.run(EXPORT + "--format onnx --bits 8,8", out).assertRefused("--data");
    services.run(EXPORT + "--format pdf --bits 8,8", out).assertRefused("pdf");
    services
        .run(EXPORT + "--format onnx --bits 8,8 --data builtin:shapes --recipe magic", out)
        .assertRefused("magic");
    assertFalse(Files.exists(out));
  }
}
