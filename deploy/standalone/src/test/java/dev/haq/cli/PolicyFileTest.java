package dev.haq.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.model.v1.Layer;
import dev.haq.proto.model.v1.Network;
import dev.haq.proto.model.v1.Policy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PolicyFileTest {
  private static final String MODEL = "sha256:aa";
  private static final Network NETWORK =
      Network.newBuilder()
          .setName("net.onnx")
          .addLayers(Layer.newBuilder().setName("/conv \"1\""))
          .addLayers(Layer.newBuilder().setName("fc"))
          .build();

  @TempDir Path folder;

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    Policy policy = BitsText.parse("4,float", MODEL, NETWORK);
    Path file = Files.writeString(folder.resolve("p.json"), PolicyFile.text(policy));
    assertEquals(policy, PolicyFile.read(file, MODEL, NETWORK));
    assertFalse(policy.getLayers(0).hasActivationBits());
  }

  @Test
  void theTextAndTheTreeSayTheSame() {
    Policy policy = BitsText.parse("4,float", MODEL, NETWORK);
    assertEquals(Json.tree(PolicyFile.text(policy)), PolicyFile.tree(policy));
  }

  @Test
  void minusOneOfThePublishedFormIsTheImageAtEightBits() throws IOException {
    Path file = Files.writeString(folder.resolve("p.json"), "{\"bits\": [[8, -1], [4, 6]]}");
    Policy policy = PolicyFile.read(file, MODEL, NETWORK);
    assertEquals(8, policy.getLayers(0).getActivationBits());
    assertEquals(4, policy.getLayers(1).getWeightBits());
  }

  @Test
  void aPolicyForAnotherModelIsRefused() {
    String text = PolicyFile.text(BitsText.parse("4,4", "sha256:bb", NETWORK));
    assertMismatch(text, "another model");
  }

  @Test
  void aPolicyWithOtherLayersIsRefused() {
    assertMismatch("{\"bits\": [[8, 8]]}", "has 1 layers, model net.onnx has 2");
    assertMismatch(
        "{\"layers\": ["
            + "{\"name\": \"/conv \\\"1\\\"\", \"weight_bits\": 4, \"activation_bits\": 4},"
            + "{\"name\": \"head\", \"weight_bits\": 4, \"activation_bits\": 4}]}",
        "layer 2 is head");
  }

  @Test
  void whatIsNotAPolicyIsRefused() {
    assertThrows(HaqException.class, () -> PolicyFile.parse("no json", "p.json", MODEL));
    assertThrows(HaqException.class, () -> PolicyFile.parse("{}", "p.json", MODEL));
    assertThrows(HaqException.class, () -> PolicyFile.parse("[1]", "p.json", MODEL));
    assertThrows(
        HaqException.class,
        () -> PolicyFile.parse("{\"layers\": [{\"weight_bits\": 4.5}]}", "p.json", MODEL));
  }

  @Test
  void keysThatAreNotKnownOrComeTwiceAreRefusedByName() {
    assertRefused(
        "{\"layers\": [{\"name\": \"fc\", \"weights_bits\": 4}]}",
        "p.json, layer 1: there is no key 'weights_bits': use [activation_bits, name,");
    assertRefused("{\"modell\": \"a\", \"layers\": [{}]}", "there is no key 'modell'");
    assertRefused("{\"bits\": [[8, 8]], \"layers\": []}", "there is no key 'layers'");
    assertRefused("{\"layers\": [[8, 8]]}", "layer 1: expected {name");
    assertRefused("{\"layers\": [{\"weight_bits\": 4, \"weight_bits\": 8}]}", "Duplicate field");
  }

  @Test
  void aWidthThatIsLeftOutIsRefusedByLayerAndKey() {
    assertRefused(
        "{\"layers\": [{\"weight_bits\": 4, \"activation_bits\": 4},"
            + " {\"name\": \"fc\", \"weight_bits\": 4}]}",
        "p.json, layer 2 (fc): activation_bits is missing: give a width, or null for float");
    assertRefused(
        "{\"layers\": [{\"activation_bits\": 4}, {\"weight_bits\": 4, \"activation_bits\": 4}]}",
        "layer 1: weight_bits is missing");
  }

  @Test
  void anOperandThatNoLayerNamesIsFloatAsInTheJsonOfSessions() {
    Policy policy =
        PolicyFile.parse("{\"layers\": [{\"weight_bits\": 4}, {\"weight_bits\": 2}]}", "p", "m");
    assertEquals(2, policy.getLayers(1).getWeightBits());
    assertFalse(policy.getLayers(0).hasActivationBits());
  }

  @Test
  void whatFollowsThePolicyIsRefusedAndAByteOrderMarkIsNot() throws IOException {
    String text = PolicyFile.text(BitsText.parse("4,4", MODEL, NETWORK));
    assertRefused(text + "x", "p.json is not JSON: ");
    assertRefused(text + "{}", "p.json is not JSON: there is more text behind it, at line 8");
    Path file = Files.writeString(folder.resolve("p.json"), "\uFEFF" + text);
    assertEquals(2, PolicyFile.read(file, MODEL, NETWORK).getLayersCount());
  }

  @Test
  void whyAFileCannotBeReadIsSaid() throws IOException {
    Path file = folder.resolve("p.json");
    assertUnreadable(file, ": there is no such file");
    Files.write(file, "{\"note\": \"\u00fc\"}".getBytes(StandardCharsets.ISO_8859_1));
    assertUnreadable(file, " is not text in UTF-8: save it as UTF-8");
    assertUnreadable(folder, " cannot be read: ");
  }

  private static void assertUnreadable(Path file, String expected) {
    HaqException e = assertThrows(HaqException.class, () -> PolicyFile.read(file, MODEL, NETWORK));
    assertTrue(e.getMessage().startsWith("--policy " + file + expected), e.getMessage());
  }

  @Test
  void mistakesInTheTextAreToldByTheirPlaceAndWithoutTheParsersSettings() {
    for (String text : List.of("{// a\n}", "{\"bits\": NaN}", "[".repeat(2000))) {
      HaqException e =
          assertThrows(HaqException.class, () -> PolicyFile.parse(text, "p.json", MODEL));
      assertTrue(e.getMessage().startsWith("--policy p.json is not JSON: "), e.getMessage());
      assertTrue(text.startsWith("[") || e.getMessage().contains(", at line 1, column "), text);
      assertFalse(e.getMessage().matches("(?s).*(Feature|Stream|`|ALLOW).*"), e.getMessage());
    }
  }

  @Test
  void aNoteMayStandInBothForms() {
    Policy published = PolicyFile.parse("{\"note\": \"a\", \"bits\": [[8, 8]]}", "p.json", MODEL);
    assertEquals(MODEL, published.getModel());
    PolicyFile.parse(
        "{\"note\": \"a\", \"layers\": [{\"weight_bits\": 4, \"activation_bits\": null}]}",
        "p.json",
        MODEL);
  }

  private static void assertRefused(String text, String expected) {
    HaqException e =
        assertThrows(HaqException.class, () -> PolicyFile.parse(text, "p.json", MODEL));
    assertEquals(Reason.INVALID_ARGUMENT, e.reason());
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }

  @Test
  void moreBitsThanAnyMachineHasAreRefused() {
    assertEquals(16, BitsText.parse("16,8", MODEL, NETWORK).getLayers(0).getWeightBits());
    HaqException e = assertThrows(HaqException.class, () -> BitsText.parse("17,8", MODEL, NETWORK));
    assertEquals(Reason.INVALID_BITS, e.reason());
    assertThrows(HaqException.class, () -> BitsText.parse("8", MODEL, NETWORK));
    assertThrows(HaqException.class, () -> BitsText.parse("8,0", MODEL, NETWORK));
  }

  private void assertMismatch(String text, String expected) {
    HaqException e =
        assertThrows(
            HaqException.class,
            () ->
                PolicyFile.read(Files.writeString(folder.resolve("p.json"), text), MODEL, NETWORK));
    assertEquals(Reason.POLICY_MISMATCH, e.reason());
    assertTrue(e.getMessage().contains(expected), e.getMessage());
  }
}
