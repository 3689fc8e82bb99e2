package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.Policy;
import dev.haq.proto.quantizer.v1.Model;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The policy that a command is about: a file, or the same bits everywhere. */
final class PolicyOptions {
  @ArgGroup(exclusive = true)
  private Choice choice;

  /** One of the two. */
  static final class Choice {
    @Option(names = "--policy", paramLabel = "FILE", description = "A policy file (JSON).")
    private Path policy;

    @Option(
        names = "--bits",
        paramLabel = "W,A",
        description = "The same weight and activation bits in every layer, 1 to 16 or float.")
    private String bits;
  }

  /** The policy for this model, where a command cannot do without. */
  Policy required(Model model) {
    return resolve(model)
        .orElseThrow(
            () ->
                HaqException.invalid(
                    "a policy is needed: give --policy FILE, or --bits W,A such as 8,8"));
  }

  /**
   * The policy for this model, where only one that a target can run will do.
   *
   * @throws HaqException INVALID_BITS naming the first layer that is left in float
   */
  Policy quantized(Model model) {
    Policy policy = required(model);
    policy.getLayersList().stream()
        .filter(KnownCost::hasFloat)
        .findFirst()
        .ifPresent(
            layer -> {
              throw new HaqException(
                  Reason.INVALID_BITS,
                  ("layer %s has float %s, which no target runs: give bits to every layer, such as"
                          + " with --bits 8,8; the size of a policy with float is what 'haq simulate' says")
                      .formatted(
                          layer.getName(), layer.hasWeightBits() ? "activations" : "weights"));
            });
    return policy;
  }

  /** The policy for this model; empty when none was asked for. */
  Optional<Policy> resolve(Model model) {
    if (choice == null) {
      return Optional.empty();
    }
    return Optional.of(
        choice.bits != null
            ? BitsText.parse(choice.bits, model.getId(), model.getNetwork())
            : PolicyFile.read(choice.policy, model.getId(), model.getNetwork()));
  }
}
