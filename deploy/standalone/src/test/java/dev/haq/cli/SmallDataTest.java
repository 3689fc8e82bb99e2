package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Searches on next to no images, by the four services: what is found is never lost for that. */
class SmallDataTest {
  private static final String SEARCH =
      """
      search --model builtin:shapes --target bismo-edge --budget 0.6 --episodes 2 --agent random
      --data %s --out %s
      """;

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;

  private static OutFolder out(String name) {
    return new OutFolder(folder.resolve(name));
  }

  @Test
  void aSearchOnOneImageIsReportedOnThatImage() throws IOException {
    Path one = ShapesFile.write(folder.resolve("one"), 0, 1);
    OutFolder out = out("one-out");
    Captured run = services.run(SEARCH + "--further-target bitfusion=0.9", one, out).done();
    assertTrue(run.out().contains("top-1 on 1 search images (none held out)"), run.out());
    assertTrue(run.out().contains("top-1 on search images (none held out);"), run.out());
    assertEquals(
        services.layers(), out.json("policy.json").get("layers").size(), "a policy is written");
  }

  @Test
  void aFractionThatRoundsToNoImageHoldsNoneOut() throws IOException {
    Path three = ShapesFile.write(folder.resolve("three"), 10, 3);
    Captured none = services.run(SEARCH + "--held-out 0.1", three, out("three-out")).done();
    assertTrue(none.out().contains("top-1 on 3 search images (none held out)"), none.out());
    Captured some = services.run(SEARCH + "--held-out 0.2", three, out("some-out")).done();
    assertTrue(some.out().contains("top-1 on 1 held-out images"), some.out());
  }

  @Test
  void aModelThatIsFineTunedForOneImageIsKept() throws IOException {
    Path one = ShapesFile.write(folder.resolve("tuned-one"), 20, 1);
    Path training = ShapesFile.write(folder.resolve("train"), 100, 32);
    OutFolder out = out("tuned-out");
    JsonNode document =
        services
            .run(SEARCH + "--train-data %s --finetune-epochs 1 --json", one, out, training)
            .done()
            .json();
    JsonNode session = document.get("session");
    assertEquals("SUCCEEDED", session.get("state").asText());
    assertFalse(session.at("/tuned").has("held_out_after"), "there is no image to judge it on");
    assertEquals(session.at("/tuned/model").asText(), Digests.of(out.path().resolve("tuned.onnx")));
    assertEquals(
        session.at("/tuned/after/top1"), document.at("/tuned/accuracy/top1"), "the search image");
  }

  @Test
  void aReportThatFailsLeavesWhatWasFound() throws IOException {
    Path images = folder.resolve("sizes/any");
    Files.createDirectories(images);
    Files.write(images.resolve("1.png"), png(32));
    // Split seed 0 holds this one out of two, so that the report alone meets its size.
    Files.write(images.resolve("0.png"), png(16));
    OutFolder out = out("sizes-out");
    Captured run = services.run(SEARCH + "--preprocess raw", images.getParent(), out);
    assertNotEquals(0, run.status(), run.out());
    assertTrue(run.err().contains("0.png"), run.err() + run.out());
    assertTrue(run.err().contains("'any' is class 0"), "what the data do not say: " + run.err());
    assertTrue(run.out().contains(" after 2 episodes; best:"), run.out());
    assertTrue(
        out.names().containsAll(Set.of("policy.json", "policy.csv", "episodes.csv")),
        out.names().toString());
    assertEquals(
        List.of("1", "2"),
        out.csv("episodes.csv").stream().map(row -> row.get("episode")).toList());
    assertFalse(out.names().contains("session.json"), "it is not finished");
  }

  private static byte[] png(int side) throws IOException {
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(image, "png", png);
    return png.toByteArray();
  }
}
