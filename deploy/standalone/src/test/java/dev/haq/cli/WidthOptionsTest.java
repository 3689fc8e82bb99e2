package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.proto.agent.v1.LayerWidths;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class WidthOptionsTest {
  @Test
  void withoutOptionsNothingIsSaid() {
    WidthOptions.Widths widths = widths();
    assertTrue(widths.weightBits().isEmpty() && widths.activationBits().isEmpty());
    assertFalse(widths.searchFirstAndLast());
    assertEquals(List.of(), widths.layers());
  }

  @Test
  void widthsOfOneLayerMayBeOfEitherOperandOrOfBoth() {
    WidthOptions.Widths widths =
        widths(
            "--weight-bits=8,2,4",
            "--layer=fc=8/8",
            "--layer=/features/0/Conv=4,6",
            "--layer=b=/3");
    assertEquals(List.of(2, 4, 8), widths.weightBits().orElseThrow().getBitsList());
    LayerWidths both = widths.layers().get(0);
    assertEquals(List.of(8), both.getWeightBits().getBitsList());
    assertEquals(List.of(8), both.getActivationBits().getBitsList());
    LayerWidths weights = widths.layers().get(1);
    assertEquals("/features/0/Conv", weights.getLayer());
    assertEquals(List.of(4, 6), weights.getWeightBits().getBitsList());
    assertFalse(weights.hasActivationBits());
    LayerWidths activations = widths.layers().get(2);
    assertFalse(activations.hasWeightBits());
    assertEquals(List.of(3), activations.getActivationBits().getBitsList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--layer=fc",
        "--layer==8",
        "--layer=fc=",
        "--layer=fc=/",
        "--layer=fc=4/4/4",
        "--layer=fc=four",
        "--layer=fc=4,4",
        "--layer=fc=0",
        "--weight-bits=",
        "--activation-bits=2;4"
      })
  void whatCannotBeReadIsRefusedNamingTheOption(String option) {
    HaqException e = assertThrows(HaqException.class, () -> widths(option));
    String name = option.replaceFirst("=.*", "");
    assertTrue(e.getMessage().startsWith(name), e.getMessage());
  }

  @Test
  void aLayerIsNamedOnce() {
    HaqException e = assertThrows(HaqException.class, () -> widths("--layer=fc=8", "--layer=fc=4"));
    assertTrue(e.getMessage().contains("layer fc is named twice"), e.getMessage());
  }

  private static WidthOptions.Widths widths(String... options) {
    return CommandLine.populateCommand(new WidthOptions(), options).widths();
  }
}
