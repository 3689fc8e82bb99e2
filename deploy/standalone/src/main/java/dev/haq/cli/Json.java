package dev.haq.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.wire.ParserText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/**
 * JSON as the command reads and prints it: the proto3 mapping of messages with their field names
 * kept, numbers in plain decimals.
 */
final class Json {
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames().alwaysPrintFieldsWithNoPresence();

  /** A newer service may answer fields that this command does not know. */
  private static final JsonFormat.Parser PARSER = JsonFormat.parser().ignoringUnknownFields();

  /** Decimals are kept digit for digit, so that printing what was read changes nothing. */
  static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .build();

  private Json() {}

  /** The message's text on the wire. */
  static String print(MessageOrBuilder message) {
    try {
      return PRINTER.print(message);
    } catch (InvalidProtocolBufferException e) {
      throw new HaqException(Reason.INTERNAL, "cannot print a message as JSON", e);
    }
  }

  /**
   * Fills {@code builder} from the wire's text.
   *
   * @throws HaqException INTERNAL when the text is not that message
   */
  static <B extends Message.Builder> B parse(String text, B builder) {
    try {
      PARSER.merge(text, builder);
      return builder;
    } catch (InvalidProtocolBufferException e) {
      throw new HaqException(
          Reason.INTERNAL, "the service's answer cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Fills {@code builder} from a file of the user's, whose fields must all be known.
   *
   * @param what the file should be, for errors: "a cost table"
   * @throws HaqException INVALID_ARGUMENT when the text is not that message
   */
  static <B extends Message.Builder> B parseFile(Path file, String text, String what, B builder) {
    ofFile(file.toString(), text); // the other parser's words on syntax are about its own settings
    try {
      JsonFormat.parser().merge(text, builder);
      return builder;
    } catch (InvalidProtocolBufferException e) {
      throw HaqException.invalid("%s is not %s: %s", file, what, firstLine(e));
    }
  }

  private static String firstLine(Exception e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  /** The message as a tree to put into a document. */
  static JsonNode tree(MessageOrBuilder message) {
    return tree(print(message));
  }

  static JsonNode tree(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new HaqException(Reason.INTERNAL, "not JSON: " + ParserText.of(e), e);
    }
  }

  /**
   * The one value that a file of the user's holds; missing where it is empty.
   *
   * @param named what errors begin with: the option, if any, and the file
   * @throws HaqException INVALID_ARGUMENT with the place of what is no JSON
   */
  static JsonNode ofFile(String named, String text) {
    try (JsonParser parser = MAPPER.createParser(text)) {
      JsonNode tree = MAPPER.readTree(parser);
      if (parser.nextToken() != null) {
        throw notJson(named, "there is more text behind it", parser.currentTokenLocation());
      }
      return tree == null ? MAPPER.missingNode() : tree;
    } catch (JsonProcessingException e) {
      throw notJson(named, ParserText.of(e), e.getLocation());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory throws none
    }
  }

  /**
   * @param place null where the parser does not say it, as of what is nested too deeply
   */
  private static HaqException notJson(String named, String why, JsonLocation place) {
    return HaqException.invalid(
        "%s is not JSON: %s%s",
        named,
        why,
        place == null
            ? ""
            : ", at line %d, column %d".formatted(place.getLineNr(), place.getColumnNr()));
  }

  static ArrayNode array(List<? extends MessageOrBuilder> messages) {
    ArrayNode array = MAPPER.createArrayNode();
    messages.forEach(message -> array.add(tree(message)));
    return array;
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** The document, indented, without a line end. */
  static String text(JsonNode document) {
    try {
      return MAPPER.writeValueAsString(document);
    } catch (JsonProcessingException e) {
      throw new HaqException(Reason.INTERNAL, "cannot write a JSON document", e);
    }
  }
}
