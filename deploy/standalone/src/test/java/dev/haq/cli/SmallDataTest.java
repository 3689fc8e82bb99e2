package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.standalone.Standalone;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Searches on next to no images, by the four services: what is found is never lost for that. */
class SmallDataTest {
  @TempDir static Path folder;
  private static Standalone standalone;

  @BeforeAll
  static void start() {
    standalone =
        Standalone.start(
            Standalone.Options.inside(
                folder.resolve("data"), Optional.of(folder.resolve("sessions"))));
  }

  @AfterAll
  static void stop() {
    standalone.close();
  }

  @Test
  void aSearchOnOneImageIsReportedOnThatImage() throws IOException {
    Path one = ShapesFile.write(folder.resolve("one"), 0, 1);
    Captured run = search(one, "one-out", "--further-target", "bitfusion=0.9");
    assertEquals(0, run.status(), run.err());
    assertTrue(run.out().contains("top-1 on 1 search images (none held out)"), run.out());
    assertTrue(run.out().contains("top-1 on search images (none held out);"), run.out());
    assertTrue(Files.exists(folder.resolve("one-out/policy.json")));
  }

  @Test
  void aFractionThatRoundsToNoImageHoldsNoneOut() throws IOException {
    Path three = ShapesFile.write(folder.resolve("three"), 10, 3);
    Captured none = search(three, "three-out", "--held-out", "0.1");
    assertEquals(0, none.status(), none.err());
    assertTrue(none.out().contains("top-1 on 3 search images (none held out)"), none.out());
    Captured some = search(three, "some-out", "--held-out", "0.2");
    assertEquals(0, some.status(), some.err());
    assertTrue(some.out().contains("top-1 on 1 held-out images"), some.out());
  }

  @Test
  void aModelThatIsFineTunedForOneImageIsKept() throws IOException {
    Path one = ShapesFile.write(folder.resolve("tuned-one"), 20, 1);
    Path training = ShapesFile.write(folder.resolve("train"), 100, 32);
    Captured run =
        search(
            one,
            "tuned-out",
            "--train-data",
            training.toString(),
            "--finetune-epochs",
            "1",
            "--json");
    assertEquals(0, run.status(), run.err());
    JsonNode session = run.json().get("session");
    assertEquals("SUCCEEDED", session.get("state").asText());
    assertFalse(session.at("/tuned").has("held_out_after"), "there is no image to judge it on");
    assertEquals(
        session.at("/tuned/model").asText(), Digests.of(folder.resolve("tuned-out/tuned.onnx")));
    assertEquals(
        session.at("/tuned/after/top1"), run.json().at("/tuned/accuracy/top1"), "the search image");
  }

  @Test
  void aReportThatFailsLeavesWhatWasFound() throws IOException {
    Path images = folder.resolve("sizes/0");
    Files.createDirectories(images);
    Files.write(images.resolve("1.png"), png(32));
    // Split seed 0 holds this one out of two, so that the report alone meets its size.
    Files.write(images.resolve("0.png"), png(16));
    Captured run = search(images.getParent(), "sizes-out", "--preprocess", "raw");
    assertNotEquals(0, run.status(), run.out());
    assertTrue(run.err().contains("0.png"), run.err() + run.out());
    assertTrue(run.out().contains(" after 2 episodes; best:"), run.out());
    for (String file : List.of("policy.json", "policy.csv", "episodes.csv")) {
      assertTrue(Files.exists(folder.resolve("sizes-out").resolve(file)), file);
    }
    assertFalse(Files.exists(folder.resolve("sizes-out/session.json")), "it is not finished");
  }

  private static byte[] png(int side) throws IOException {
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(image, "png", png);
    return png.toByteArray();
  }

  private static Captured search(Path data, String out, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of(
                "search",
                "--model",
                "builtin:shapes",
                "--data",
                data.toString(),
                "--target",
                "bismo-edge",
                "--budget",
                "0.6",
                "--episodes",
                "2",
                "--agent",
                "random",
                "--out",
                folder.resolve(out).toString(),
                "--server",
                standalone.url().toString()));
    args.addAll(List.of(more));
    return Captured.run(args.toArray(String[]::new));
  }
}
