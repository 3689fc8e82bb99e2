package dev.haq.wire;

import dev.haq.proto.model.v1.LayerBits;
import dev.haq.proto.model.v1.Network;
import dev.haq.proto.model.v1.Policy;
import java.util.List;
import java.util.stream.IntStream;

/** A policy as a table for people and spreadsheets. */
public final class PolicyTable {
  private PolicyTable() {}

  /** A row a layer, of its place in the network, from 0 on; in the table they count from 1 on. */
  public static CsvText.Table<Integer> of(Policy policy, Network network) {
    List<Integer> places = IntStream.range(0, policy.getLayersCount()).boxed().toList();
    return CsvText.of(places)
        .column("layer", i -> i + 1)
        .column("name", i -> network.getLayers(i).getName())
        .column("kind", i -> LayerText.kind(network.getLayers(i)))
        .column("weight_bits", i -> weightBits(policy.getLayers(i)))
        .column("activation_bits", i -> activationBits(policy.getLayers(i)))
        .column("weights", i -> network.getLayers(i).getWeights())
        .column("macs", i -> network.getLayers(i).getMacs());
  }

  private static Object weightBits(LayerBits bits) {
    return bits.hasWeightBits() ? bits.getWeightBits() : "float";
  }

  private static Object activationBits(LayerBits bits) {
    return bits.hasActivationBits() ? bits.getActivationBits() : "float";
  }
}
