package dev.haq.agent.search;

import dev.haq.model.BitChoices;
import dev.haq.model.Operand;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A meter that several agents share: measures once, when first asked, every width that any of them
 * may choose.
 */
public final class SharedSensitivities implements SensitivityMeter {
  private final SensitivityMeter meter;
  private final List<SearchSpace> spaces;
  private Optional<Sensitivities> measured = Optional.empty();

  /**
   * @param spaces of the agents
   */
  public SharedSensitivities(SensitivityMeter meter, List<SearchSpace> spaces) {
    this.meter = meter;
    this.spaces = List.copyOf(spaces);
  }

  /** Of widths that one of the agents may choose. */
  @Override
  public Sensitivities measure(BitChoices weights, BitChoices activations) {
    if (measured.isEmpty()) {
      measured = Optional.of(meter.measure(all(Operand.WEIGHTS), all(Operand.ACTIVATIONS)));
    }
    return measured.get();
  }

  private BitChoices all(Operand operand) {
    Stream<Integer> widths =
        spaces.stream().flatMap(space -> space.decisions().choices(operand).bits().stream());
    return new BitChoices(widths.distinct().sorted().toList());
  }
}
