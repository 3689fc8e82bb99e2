package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.model.v1.FineTuning;
import dev.haq.proto.model.v1.Recipe;
import dev.haq.proto.quantizer.v1.EvaluateRequest;
import dev.haq.proto.quantizer.v1.EvaluateResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** What the command trains, by the four services. */
class FineTunedSearchTest {
  private static final Pattern TUNED = Pattern.compile("the fine-tuned model is (sha256:\\S+)");

  private static final Pattern EPOCH = Pattern.compile("epoch (\\d) of 8");

  /** Trains long enough to be killed meanwhile. */
  private static final String KILLED =
      """
      --episodes 2 --agent uniform --train-data %s --finetune-epochs 8
      """;

  @RegisterExtension static final Services services = new Services();

  @TempDir static Path folder;
  private static Path training;
  private static Path judging;

  @BeforeAll
  static void write() throws IOException {
    training = ShapesFile.write(folder.resolve("train"), 0, 192);
    judging = ShapesFile.write(folder.resolve("judge"), 10_000, 128);
  }

  @Test
  void aModelIsFineTunedForAPolicyAndKeptAsAFile() {
    Path file = folder.resolve("files/tuned.onnx");
    List<String> command =
        Words.of(
            """
            finetune --model builtin:shapes --data builtin:shapes --images 200 --train-data %s
            --bits 3,3 --epochs 2 --batch-size 32 --out %s --json
            """,
            training, file);
    Captured run = services.run(command).done();
    JsonNode document = run.json();
    assertTrue(run.err().contains("epoch 2 of 2"), run.err());
    assertNotEquals(document.get("before"), document.get("after"));
    String id = document.get("tuned_model").asText();
    assertEquals(id, Digests.of(file));
    JsonNode judged =
        services
            .run("evaluate --model %s --data builtin:shapes --images 200 --bits 3,3 --json", file)
            .done()
            .json();
    assertEquals(document.at("/after/top1").asDouble(), judged.at("/quantized/top1").asDouble());
    assertEquals(document, services.run(command).done().json(), "the second time it is known");
  }

  @Test
  void aFinetuningThatCannotBeIsRefused() {
    String command =
        "finetune --model builtin:shapes --data builtin:shapes --bits 3,3 --train-data %s ";
    services.run(command, "nowhere").assertRefused("--train-data");
    services.run(command + "--schedule linear", training).assertRefused("constant or cosine");
    services.run(command + "--epochs 0", training).assertRefused("epochs");
    services.run(command + "--out tuned.bin", training).assertRefused(".onnx");
    services
        .run(command + "--out %s", training, training.resolve("tuned.onnx"))
        .assertRefused("is not a folder");
  }

  @Test
  void aSearchFineTunesWhatItFoundAndWritesTheModel() throws IOException {
    OutFolder out = out("tuned");
    Captured run =
        search(
                out,
                """
                --episodes 2 --agent uniform --recipe ptq --train-data %s --finetune-epochs 2
                --schedule cosine --json
                """,
                training)
            .done();
    JsonNode document = run.json();
    JsonNode tuned = document.get("tuned");
    String id = tuned.get("model").asText();
    assertEquals(id, Digests.of(out.path().resolve("tuned.onnx")));
    assertEquals(id, document.at("/session/tuned/model").asText());
    assertEquals(id, out.json("session.json").at("/tuned/model").asText());
    assertEquals(64, tuned.at("/accuracy/images").asInt(), "the held-out half");
    assertEquals(
        document.at("/best/accuracy/top1"),
        document.at("/session/tuned/held_out_before/top1"),
        "what was found, on the same images");
    assertEquals(document.at("/best/cost_ratio"), tuned.get("cost_ratio"));
    assertTrue(run.err().contains("fine-tuning the policy of episode"), run.err());
    Path policy = out.path().resolve("tuned-policy.json");
    Files.writeString(policy, tuned.get("policy").toString());
    JsonNode judged =
        services
            .run(
                "evaluate --model %s --data %s --split held-out --policy %s --json",
                id, judging, policy)
            .done()
            .json();
    assertEquals(tuned.at("/accuracy/top1").asDouble(), judged.at("/quantized/top1").asDouble());
  }

  @Test
  void ofSeveralTargetsEachPolicyHasItsFineTunedModel() throws IOException {
    OutFolder out = out("several");
    Captured run =
        search(
                out,
                """
                --episodes 6 --agent random --further-target bismo-cloud=0.7 --train-data %s
                --finetune-epochs 1 --json
                """,
                training)
            .done();
    JsonNode document = run.json();
    List<JsonNode> found =
        List.of(document.at("/targets/0"), document.at("/targets/1"), document.at("/fleet"));
    List<String> names = List.of("bismo-edge", "bismo-cloud", "fleet");
    for (int i = 0; i < names.size(); i++) {
      JsonNode tuned = found.get(i).get("tuned");
      assertEquals(found.get(i).get("episode"), tuned.get("episode"));
      Path file = out.path().resolve("tuned-" + names.get(i) + ".onnx");
      assertEquals(tuned.get("model").asText(), Digests.of(file));
    }
    assertTrue(run.err().contains("top-1   fine-tuned   ratio on bismo-edge"), run.err());
    assertTrue(run.err().contains("(best for bismo-cloud), 1 epochs"), run.err());
  }

  @Test
  void aSearchThatTrainsEveryPolicyFindsTheSameForASeedAndKnowsPoliciesAgain() throws IOException {
    for (String out : List.of("first", "second")) {
      search(
              out(out),
              """
              --episodes 3 --agent random --recipe haq-finetune --train-data %s
              --finetune-rate 0.0002 --schedule cosine --learn-clips
              """,
              training)
          .done();
    }
    OutFolder first = out("first");
    assertEquals(first.text("episodes.csv"), out("second").text("episodes.csv"));
    assertEquals(first.text("policy.json"), out("second").text("policy.json"));
    Session session =
        Json.parse(first.json("session.json").get("session").toString(), Session.newBuilder())
            .build();
    FineTuning how = session.getSpec().getRecipe().getFineTuning();
    assertEquals(0.0002, how.getLearningRate());
    assertEquals(FineTuning.Schedule.COSINE, how.getSchedule());
    assertTrue(how.getLearnClips());
    EvaluateRequest best =
        EvaluateRequest.newBuilder()
            .setModel(session.getSpec().getModel())
            .setData(session.getSpec().getData())
            .setPolicy(session.getBest().getPolicy())
            .setRecipe(session.getSpec().getRecipe())
            .build();
    GatewayClient client = services.client();
    EvaluateResponse again = client.evaluate(best);
    assertTrue(again.getCached(), "an equal policy is not trained a second time");
    assertEquals(session.getBest().getAccuracy(), again.getAccuracy());
    EvaluateResponse untrained =
        client.evaluate(best.toBuilder().setRecipe(Recipe.newBuilder().setName("haq")).build());
    assertNotEquals(
        untrained.getAccuracy(), again.getAccuracy(), "each policy is trained before it is judged");
  }

  @Test
  void whatIsTrainedAndOnWhatHasToBeSaid() {
    OutFolder out = out("no");
    search(out, "--finetune-epochs 3").assertRefused("--train-data");
    search(out, "--train-data %s", training).assertRefused("nothing is trained");
    search(out, "--lr 0.01").assertRefused("--finetune-rate (--lr): nothing is trained");
    search(out, "--learn-clips").assertRefused("--learn-clips: nothing is trained");
    search(out, "--train-data %s --finetune-epochs -1", training)
        .assertRefused("--finetune-epochs -1");
  }

  @Test
  void aSearchThatIsKilledWhileItFineTunesComesToTheSameModel() throws Exception {
    List<String> command =
        new ArrayList<>(words(out("killed"), KILLED + "--data-dir %s", training, out("own-data")));
    Child first = Child.haq(command);
    first.await(Pattern.compile("epoch ([2-8]) of 8"));
    first.kill();
    String expected = undisturbed();
    try (Child second = Child.haq(command)) {
      assertEquals("2", second.await(Pattern.compile("continuing after episode (\\d+)")));
      assertNotEquals("1", second.await(EPOCH), "the first epoch is not trained again");
      assertEquals(expected, second.await(TUNED));
      assertEquals(0, second.exit());
    }
  }

  /** The model of the same search on other services, which nobody kills. */
  private static String undisturbed() {
    Captured run = search(out("undisturbed"), KILLED, training).done();
    Matcher tuned = TUNED.matcher(run.out() + run.err());
    assertTrue(tuned.find(), run.out() + run.err());
    return tuned.group(1);
  }

  private static OutFolder out(String name) {
    return new OutFolder(folder.resolve(name));
  }

  private static Captured search(OutFolder out, String more, Object... values) {
    return services.run(words(out, more, values));
  }

  private static List<String> words(OutFolder out, String more, Object... values) {
    List<String> words =
        new ArrayList<>(
            Words.of(
                "search --model builtin:shapes --data %s --target bismo-edge --budget 0.5 --out %s",
                judging, out));
    words.addAll(Words.of(more, values));
    return words;
  }
}
