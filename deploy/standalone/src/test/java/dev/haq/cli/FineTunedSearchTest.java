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
import dev.haq.standalone.Standalone;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the command trains, by the four services. */
class FineTunedSearchTest {
  private static final Pattern TUNED = Pattern.compile("the fine-tuned model is (sha256:\\S+)");

  private static final Pattern EPOCH = Pattern.compile("epoch (\\d) of 8");

  @TempDir static Path folder;
  private static Standalone standalone;
  private static Path training;
  private static Path judging;

  @BeforeAll
  static void start() throws IOException {
    training = ShapesFile.write(folder.resolve("train"), 0, 192);
    judging = ShapesFile.write(folder.resolve("judge"), 10_000, 128);
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
  void aModelIsFineTunedForAPolicyAndKeptAsAFile() {
    Path file = folder.resolve("files/tuned.onnx");
    String[] command = {
      "finetune",
      "--model",
      "builtin:shapes",
      "--data",
      "builtin:shapes",
      "--images",
      "200",
      "--train-data",
      training.toString(),
      "--bits",
      "3,3",
      "--epochs",
      "2",
      "--batch-size",
      "32",
      "--out",
      file.toString(),
      "--json"
    };
    Captured run = run(List.of(command));
    assertEquals(0, run.status(), run.err());
    JsonNode document = run.json();
    assertTrue(run.err().contains("epoch 2 of 2"), run.err());
    assertNotEquals(document.get("before"), document.get("after"));
    String id = document.get("tuned_model").asText();
    assertEquals(id, Digests.of(file));
    Captured judged =
        run(
            List.of(
                "evaluate",
                "--model",
                file.toString(),
                "--data",
                "builtin:shapes",
                "--images",
                "200",
                "--bits",
                "3,3",
                "--json"));
    assertEquals(
        document.at("/after/top1").asDouble(), judged.json().at("/quantized/top1").asDouble());
    assertEquals(document, run(List.of(command)).json(), "the second time it is known");
  }

  @Test
  void aFinetuningThatCannotBeIsRefused() {
    List<String> base =
        List.of("finetune", "--model", "builtin:shapes", "--data", "builtin:shapes");
    assertRefused("--train-data", with(base, "--bits", "3,3", "--train-data", "nowhere"));
    List<String> data = with(base, "--bits", "3,3", "--train-data", training.toString());
    assertRefused("constant or cosine", with(data, "--schedule", "linear"));
    assertRefused("epochs", with(data, "--epochs", "0"));
    assertRefused(".onnx", with(data, "--out", "tuned.bin"));
    assertRefused(
        "is not a folder", with(data, "--out", training.resolve("tuned.onnx").toString()));
  }

  @Test
  void aSearchFineTunesWhatItFoundAndWritesTheModel() throws IOException {
    Captured run =
        run(
            with(
                search("tuned", "--episodes", "2", "--agent", "uniform", "--recipe", "ptq"),
                "--train-data",
                training.toString(),
                "--finetune-epochs",
                "2",
                "--schedule",
                "cosine",
                "--json"));
    assertEquals(0, run.status(), run.err());
    JsonNode document = run.json();
    JsonNode tuned = document.get("tuned");
    String id = tuned.get("model").asText();
    assertEquals(id, Digests.of(folder.resolve("tuned/tuned.onnx")));
    assertEquals(id, document.at("/session/tuned/model").asText());
    assertEquals(
        id,
        Json.tree(Files.readString(folder.resolve("tuned/session.json")))
            .at("/tuned/model")
            .asText());
    assertEquals(64, tuned.at("/accuracy/images").asInt(), "the held-out half");
    assertEquals(
        document.at("/best/accuracy/top1"),
        document.at("/session/tuned/held_out_before/top1"),
        "what was found, on the same images");
    assertEquals(document.at("/best/cost_ratio"), tuned.get("cost_ratio"));
    assertTrue(run.err().contains("fine-tuning the policy of episode"), run.err());
    Captured judged =
        run(
            List.of(
                "evaluate",
                "--model",
                id,
                "--data",
                judging.toString(),
                "--split",
                "held-out",
                "--policy",
                policyOf(tuned),
                "--json"));
    assertEquals(0, judged.status(), judged.err());
    assertEquals(
        tuned.at("/accuracy/top1").asDouble(), judged.json().at("/quantized/top1").asDouble());
  }

  @Test
  void ofSeveralTargetsEachPolicyHasItsFineTunedModel() throws IOException {
    Captured run =
        run(
            with(
                search("several", "--episodes", "6", "--agent", "random"),
                "--further-target",
                "bismo-cloud=0.7",
                "--train-data",
                training.toString(),
                "--finetune-epochs",
                "1",
                "--json"));
    assertEquals(0, run.status(), run.err());
    JsonNode document = run.json();
    List<JsonNode> found =
        List.of(document.at("/targets/0"), document.at("/targets/1"), document.at("/fleet"));
    List<String> names = List.of("bismo-edge", "bismo-cloud", "fleet");
    for (int i = 0; i < names.size(); i++) {
      JsonNode tuned = found.get(i).get("tuned");
      assertEquals(found.get(i).get("episode"), tuned.get("episode"));
      Path file = folder.resolve("several/tuned-" + names.get(i) + ".onnx");
      assertEquals(tuned.get("model").asText(), Digests.of(file));
    }
    assertTrue(run.err().contains("top-1   fine-tuned   ratio on bismo-edge"), run.err());
    assertTrue(run.err().contains("(best for bismo-cloud), 1 epochs"), run.err());
  }

  private static String policyOf(JsonNode row) throws IOException {
    Path file = folder.resolve("tuned/tuned-policy.json");
    return Files.writeString(file, row.get("policy").toString()).toString();
  }

  @Test
  void aSearchThatTrainsEveryPolicyFindsTheSameForASeedAndKnowsPoliciesAgain() throws IOException {
    List<String> inTheLoop =
        List.of(
            "--recipe",
            "haq-finetune",
            "--train-data",
            training.toString(),
            "--finetune-rate",
            "0.0002",
            "--schedule",
            "cosine",
            "--learn-clips",
            "--agent");
    for (String out : List.of("first", "second")) {
      Captured run = run(with(with(search(out, "--episodes", "3"), inTheLoop), "random"));
      assertEquals(0, run.status(), run.err());
    }
    assertEquals(read("first", "episodes.csv"), read("second", "episodes.csv"));
    assertEquals(read("first", "policy.json"), read("second", "policy.json"));
    Session session =
        Json.parse(
                Json.tree(read("first", "session.json")).get("session").toString(),
                Session.newBuilder())
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
    GatewayClient client = new GatewayClient(standalone.url());
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
    assertRefused("--train-data", search("no", "--finetune-epochs", "3"));
    assertRefused("nothing is trained", search("no", "--train-data", training.toString()));
    assertRefused("--finetune-rate (--lr): nothing is trained", search("no", "--lr", "0.01"));
    assertRefused("--learn-clips: nothing is trained", search("no", "--learn-clips"));
    assertRefused(
        "--finetune-epochs -1",
        search("no", "--train-data", training.toString(), "--finetune-epochs", "-1"));
  }

  @Test
  void aSearchThatIsKilledWhileItFineTunesComesToTheSameModel() throws Exception {
    String expected;
    try (Child child = Child.start("dev.haq.cli.Haq", alone("undisturbed"), Map.of())) {
      child.await(EPOCH);
      expected = child.await(TUNED);
      assertEquals(0, child.exit());
    }
    Child first = Child.start("dev.haq.cli.Haq", alone("killed"), Map.of());
    first.await(Pattern.compile("epoch ([2-8]) of 8"));
    first.kill();
    try (Child second = Child.start("dev.haq.cli.Haq", alone("killed"), Map.of())) {
      assertEquals("2", second.await(Pattern.compile("continuing after episode (\\d+)")));
      assertNotEquals("1", second.await(EPOCH), "the first epoch is not trained again");
      assertEquals(expected, second.await(TUNED));
      assertEquals(0, second.exit());
    }
  }

  /** A search with services of its own, that trains long enough to be killed meanwhile. */
  private static List<String> alone(String out) {
    List<String> command = new ArrayList<>(search(out, "--episodes", "2"));
    command.addAll(
        List.of(
            "--train-data",
            training.toString(),
            "--finetune-epochs",
            "8",
            "--agent",
            "uniform",
            "--data-dir",
            folder.resolve(out + "-data").toString()));
    return command;
  }

  private static List<String> search(String out, String... more) {
    return with(
        List.of(
            "search",
            "--model",
            "builtin:shapes",
            "--data",
            judging.toString(),
            "--target",
            "bismo-edge",
            "--budget",
            "0.5",
            "--out",
            folder.resolve(out).toString()),
        more);
  }

  private static List<String> with(List<String> command, String... more) {
    return with(command, List.of(more));
  }

  private static List<String> with(List<String> command, List<String> more) {
    List<String> all = new ArrayList<>(command);
    all.addAll(more);
    return all;
  }

  private static void assertRefused(String expected, List<String> command) {
    Captured run = run(command);
    assertEquals(2, run.status(), run.err());
    assertEquals(1, run.complaints().size(), run.err());
    assertTrue(run.complaints().get(0).contains(expected), run.err());
  }

  private static Captured run(List<String> command) {
    return Captured.run(
        with(command, "--server", standalone.url().toString()).toArray(String[]::new));
  }

  private static String read(String out, String file) throws IOException {
    return Files.readString(folder.resolve(out).resolve(file));
  }
}
