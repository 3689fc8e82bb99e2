package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.model.v1.Cost;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.wire.CsvText;
import dev.haq.wire.PolicyTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a command leaves behind in a folder. A document comes last and names the other files, so
 * that the same command into the same folder knows which are of an earlier run. Of a search it is
 * {@code session.json}; {@code policy.json}, {@code policy.csv} and {@code episodes.csv} hold no
 * time and no id of the run, so the same seed gives the same bytes.
 */
final class ResultFiles {
  static final String SESSION = "session.json";
  private static final String NAMES = "files";

  private final Path folder;
  private final String document;
  private final List<Path> written = new ArrayList<>();

  /**
   * @param document the name of the file that comes last
   */
  ResultFiles(Path folder, String document) {
    this.folder = folder.toAbsolutePath().normalize();
    this.document = document;
  }

  /** How a file comes about. */
  interface Source {
    void write(Path file);
  }

  /** The found policy, and all episodes. */
  void addSearch(Session session, Model model, SimulateResponse cost, List<Episode> episodes) {
    Policy best = session.getBest().getPolicy();
    add("policy.json", PolicyFile.text(best));
    add("policy.csv", policyCsv(best, model, cost));
    add("episodes.csv", episodesCsv(episodes));
  }

  void add(String name, String text) {
    add(name, file -> OutFile.write(file, text));
  }

  void add(String name, Source source) {
    Path file = folder.resolve(name);
    source.write(file);
    written.add(file);
  }

  /**
   * Writes the document, and removes what an earlier run left here and this one has not.
   *
   * @return the names of all files
   */
  List<Path> finish(ObjectNode content) {
    List<Path> earlier = earlier();
    ObjectNode whole = content.deepCopy();
    ArrayNode names = whole.putArray(NAMES);
    written.forEach(file -> names.add(file.getFileName().toString()));
    add(document, Json.text(whole) + "\n");
    for (Path file : earlier) {
      if (!written.contains(file)) {
        delete(file);
      }
    }
    return List.copyOf(written);
  }

  /** The files that the last run here has written; none where nobody knows. */
  private List<Path> earlier() {
    List<Path> earlier = new ArrayList<>();
    try {
      if (Files.exists(folder.resolve(document))) {
        for (JsonNode name : Json.tree(Files.readString(folder.resolve(document))).path(NAMES)) {
          Path file = folder.resolve(name.asText()).normalize();
          if (folder.equals(file.getParent())) {
            earlier.add(file);
          }
        }
      }
    } catch (IOException | HaqException e) {
      return List.of();
    }
    return earlier;
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new HaqException(
          Reason.INTERNAL, "cannot remove " + file + ", which is of an earlier run", e);
    }
  }

  static String policyCsv(Policy policy, Model model, SimulateResponse cost) {
    Cost total = cost.getTotal();
    return PolicyTable.of(policy, model.getNetwork())
        .column("cycles", i -> KnownCost.cycles(cost.getLayers(i).getCost(), total))
        .column("latency_seconds", i -> KnownCost.seconds(cost.getLayers(i).getCost(), total))
        .text();
  }

  private static String episodesCsv(List<Episode> episodes) {
    return CsvText.of(episodes)
        .column("episode", Episode::getNumber)
        .column("warmup", Episode::getWarmup)
        .column("reward", Episode::getReward)
        .column("best_reward", Episode::getBestReward)
        .column("improved", Episode::getImproved)
        .column("top1", e -> e.getAccuracy().getTop1())
        .column("top5", e -> e.getAccuracy().getTop5())
        .column("cross_entropy", e -> e.getAccuracy().getCrossEntropy())
        .column("cycles", e -> KnownCost.cycles(e.getCost(), e.getCost()))
        .column("latency_seconds", e -> KnownCost.seconds(e.getCost(), e.getCost()))
        .column(
            "energy_joules",
            e -> e.getCost().hasEnergyJoules() ? e.getCost().getEnergyJoules() : "")
        .column("model_size_bytes", e -> e.getCost().getModelSizeBytes())
        .column("cost_ratio", Episode::getCostRatio)
        .column("bits", e -> bits(e.getPolicy()))
        .text();
  }

  /** Every layer's weight and activation bits: {@code 8/8 4/6 ...}. */
  private static String bits(Policy policy) {
    return policy.getLayersList().stream()
        .map(
            layer ->
                Figures.bits(layer.hasWeightBits(), layer.getWeightBits())
                    + "/"
                    + Figures.bits(layer.hasActivationBits(), layer.getActivationBits()))
        .collect(Collectors.joining(" "));
  }
}
