package dev.haq.cli;

import dev.haq.model.HaqException;
import dev.haq.proto.agent.v1.LayerWidths;
import dev.haq.proto.model.v1.BitChoices;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Which bit-widths may be chosen. */
final class WidthOptions {
  private static final String LAYER = "--layer";

  @Option(
      names = "--weight-bits",
      paramLabel = "W,...",
      description =
          "Widths to choose from for weights, such as 2,4,8; by default 2 to 8, as far as the"
              + " target has them.")
  private String weightBits;

  @Option(
      names = "--activation-bits",
      paramLabel = "A,...",
      description = "The same for activations.")
  private String activationBits;

  @Option(
      names = "--search-first-and-last",
      description = "Choose bits of the first and the last layer too, otherwise kept at 8.")
  private boolean searchFirstAndLast;

  @Option(
      names = LAYER,
      paramLabel = "NAME=W,...[/A,...]",
      description =
          "Widths of one layer in place of these: fc=8/8 pins both operands of layer fc, conv1=4,6,8"
              + " lets its weights have one of three, conv1=/4,8 its activations one of two."
              + " Repeatable; 'haq simulate' lists the names.")
  private List<String> layers = new ArrayList<>();

  /**
   * What was asked for, without asking a service.
   *
   * @param weightBits absent for the default
   * @param activationBits likewise
   */
  record Widths(
      Optional<BitChoices> weightBits,
      Optional<BitChoices> activationBits,
      boolean searchFirstAndLast,
      List<LayerWidths> layers) {}

  /**
   * @throws HaqException that names the option which cannot be read
   */
  Widths widths() {
    return new Widths(
        Optional.ofNullable(weightBits).map(text -> choices("--weight-bits", text)),
        Optional.ofNullable(activationBits).map(text -> choices("--activation-bits", text)),
        searchFirstAndLast,
        layers());
  }

  private List<LayerWidths> layers() {
    List<LayerWidths> widths = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (String text : layers) {
      LayerWidths layer = layer(text);
      if (!names.add(layer.getLayer())) {
        throw HaqException.invalid("%s %s: layer %s is named twice", LAYER, text, layer.getLayer());
      }
      widths.add(layer);
    }
    return widths;
  }

  private static LayerWidths layer(String named) {
    String option = LAYER + " " + named;
    int equals = named.lastIndexOf('=');
    if (equals < 1) {
      throw HaqException.invalid("%s: give NAME=WIDTHS, such as fc=8/8", option);
    }
    String name = named.substring(0, equals);
    String text = named.substring(equals + 1);
    String[] operands = text.split("/", -1);
    if (operands.length > 2 || Stream.of(operands).allMatch(String::isBlank)) {
      throw HaqException.invalid("%s: give widths such as 8, 4,8 or 4,8/8", option);
    }
    LayerWidths.Builder widths = LayerWidths.newBuilder().setLayer(name);
    if (!operands[0].isBlank()) {
      widths.setWeightBits(choices(option, operands[0]));
    }
    if (operands.length == 2 && !operands[1].isBlank()) {
      widths.setActivationBits(choices(option, operands[1]));
    }
    return widths.build();
  }

  private static BitChoices choices(String option, String text) {
    try {
      List<Integer> bits =
          Stream.of(text.split(",", -1)).map(String::strip).map(Integer::valueOf).sorted().toList();
      return BitChoices.newBuilder().addAllBits(new dev.haq.model.BitChoices(bits).bits()).build();
    } catch (NumberFormatException e) {
      throw new HaqException(
          dev.haq.model.Reason.INVALID_BITS,
          "%s: give whole numbers, such as 2,4,8".formatted(option),
          e);
    } catch (HaqException e) {
      throw new HaqException(e.reason(), option + ": " + e.getMessage(), e);
    }
  }
}
