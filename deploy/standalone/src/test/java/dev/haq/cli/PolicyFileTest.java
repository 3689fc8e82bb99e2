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
import java.nio.file.Files;
import java.nio.file.Path;
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
        "{\"layers\": [{\"name\": \"/conv \\\"1\\\"\"}, {\"name\": \"head\"}]}", "layer 2 is head");
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
  void aNoteMayStandInBothForms() {
    Policy published = PolicyFile.parse("{\"note\": \"a\", \"bits\": [[8, 8]]}", "p.json", MODEL);
    assertEquals(MODEL, published.getModel());
    PolicyFile.parse("{\"note\": \"a\", \"layers\": [{}]}", "p.json", MODEL);
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
