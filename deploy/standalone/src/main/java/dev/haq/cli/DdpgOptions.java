package dev.haq.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.haq.model.HaqException;
import dev.haq.proto.agent.v1.DdpgSettings;
import dev.haq.proto.agent.v1.SessionSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** The hyper-parameters of the agent {@code ddpg}, by the names of the wire's message. */
final class DdpgOptions {
  private static final String DDPG = "--ddpg";

  @Option(
      names = DDPG,
      paramLabel = "SETTING=VALUE",
      description =
          "Another hyper-parameter of the agents that learn (ddpg, and auto, which has its own"
              + " warm-up and noise), such as noise_decay=0.98; repeatable. The settings are the fields of"
              + " DdpgSettings in agent.proto, with their defaults.")
  private List<String> settings = new ArrayList<>();

  /** Adds what was given; the service refuses what is out of range. */
  void fill(SessionSpec.Builder spec) {
    ObjectNode given = JsonNodeFactory.instance.objectNode();
    KeyValues.of(DDPG, "SETTING=VALUE, such as noise_decay=0.98", settings)
        .forEach(
            (name, value) -> {
              if (DdpgSettings.getDescriptor().findFieldByName(name) == null) {
                throw HaqException.invalid(
                    "%s %s=%s: there is no such setting; use one of %s",
                    DDPG, name, value, names());
              }
              given.put(name, value);
            });
    if (given.isEmpty()) {
      return;
    }
    try {
      JsonFormat.parser().merge(given.toString(), spec.getDdpgBuilder());
    } catch (InvalidProtocolBufferException e) {
      throw HaqException.invalid("%s %s: %s", DDPG, String.join(" ", settings), e.getMessage());
    }
  }

  private static String names() {
    return DdpgSettings.getDescriptor().getFields().stream()
        .map(FieldDescriptor::getName)
        .collect(Collectors.joining(", "));
  }
}
