package dev.haq.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.haq.model.HaqException;
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
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a search leaves behind. {@code policy.json}, {@code policy.csv} and {@code episodes.csv}
 * hold no time and no id of the run, so the same seed gives the same bytes.
 */
final class ResultFiles {
  private ResultFiles() {}

  /** Writes the four files into {@code folder}; answers their names. */
  static List<Path> write(
      Path folder,
      Session session,
      Model model,
      SimulateResponse cost,
      List<Episode> episodes,
      ObjectNode document) {
    Path policyJson = folder.resolve("policy.json");
    Path policyCsv = folder.resolve("policy.csv");
    Path episodesCsv = folder.resolve("episodes.csv");
    Path sessionJson = folder.resolve("session.json");
    write(policyJson, PolicyFile.text(session.getBest().getPolicy()));
    write(policyCsv, policyCsv(session.getBest().getPolicy(), model, cost));
    write(episodesCsv, episodesCsv(episodes));
    write(sessionJson, Json.text(document) + "\n");
    return List.of(policyJson, policyCsv, episodesCsv, sessionJson);
  }

  static void write(Path file, String text) {
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new HaqException(
          dev.haq.model.Reason.INTERNAL,
          "cannot write into " + file.getParent() + ": " + e.getMessage(),
          e);
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
      csv.append(cost.getLayers(i).getCost().getCycles()).append(',');
      csv.append(cost.getLayers(i).getCost().getLatencySeconds()).append('\n');
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
      csv.append(episode.getCost().getCycles()).append(',');
      csv.append(episode.getCost().getLatencySeconds()).append(',');
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
