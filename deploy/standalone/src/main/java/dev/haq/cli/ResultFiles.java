package dev.haq.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.agent.v1.Episode;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.hwsim.v1.SimulateResponse;
import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.Model;
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
    StringBuilder csv =
        new StringBuilder(
            "layer,name,kind,weight_bits,activation_bits,weights,macs,cycles,latency_seconds\n");
    for (int i = 0; i < policy.getLayersCount(); i++) {
      Layer layer = model.getNetwork().getLayers(i);
      LayerBits bits = policy.getLayers(i);
      csv.append(i + 1).append(',').append(quoted(layer.getName())).append(',');
      csv.append(LayerText.kind(layer)).append(',');
      csv.append(Figures.bits(bits.hasWeightBits(), bits.getWeightBits())).append(',');
      csv.append(Figures.bits(bits.hasActivationBits(), bits.getActivationBits())).append(',');
      csv.append(layer.getWeights()).append(',').append(layer.getMacs()).append(',');
      csv.append(KnownCost.cells(cost.getLayers(i).getCost(), cost.getTotal())).append('\n');
    }
    return csv.toString();
  }

  private static String episodesCsv(List<Episode> episodes) {
    StringBuilder csv =
        new StringBuilder(
            "episode,warmup,reward,best_reward,improved,top1,top5,cross_entropy,cycles,"
                + "latency_seconds,energy_joules,model_size_bytes,cost_ratio,bits\n");
    for (Episode episode : episodes) {
      csv.append(episode.getNumber()).append(',').append(episode.getWarmup()).append(',');
      csv.append(episode.getReward()).append(',').append(episode.getBestReward()).append(',');
      csv.append(episode.getImproved()).append(',');
      csv.append(episode.getAccuracy().getTop1()).append(',');
      csv.append(episode.getAccuracy().getTop5()).append(',');
      csv.append(episode.getAccuracy().getCrossEntropy()).append(',');
      csv.append(KnownCost.cells(episode.getCost(), episode.getCost())).append(',');
      csv.append(episode.getCost().hasEnergyJoules() ? episode.getCost().getEnergyJoules() : "");
      csv.append(',').append(episode.getCost().getModelSizeBytes()).append(',');
      csv.append(episode.getCostRatio()).append(',').append(bits(episode.getPolicy()));
      csv.append('\n');
    }
    return csv.toString();
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

  /** RFC 4180. */
  static String quoted(String text) {
    return text.matches("[^\",\n\r]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }
}
