package dev.haq.gateway.http;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import dev.haq.model.HaqException;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Messages as JSON and back: the proto3 JSON mapping with the field names kept (snake_case), fields
 * at their default included, on one line. Unknown fields are refused.
 */
final class ProtoJson {
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer()
          .preservingProtoFieldNames()
          .alwaysPrintFieldsWithNoPresence()
          .omittingInsignificantWhitespace();

  private static final JsonFormat.Parser PARSER = JsonFormat.parser();
  private static final Pattern UNKNOWN_FIELD =
      Pattern.compile("Cannot find field: (.*) in message (?:.*\\.)?(\\w+)");
  private static final Pattern PLACE = Pattern.compile("at (line \\d+ column \\d+)");

  private ProtoJson() {}

  static String print(MessageOrBuilder message) {
    try {
      return PRINTER.print(message);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("no message of the contract holds an Any", e);
    }
  }

  /**
   * Reads JSON into {@code builder}.
   *
   * @param what names the text in errors: "the request body"
   * @throws HaqException INVALID_ARGUMENT that names the field or the place
   */
  static <B extends Message.Builder> B parse(Buffer json, String what, B builder) {
    return parse(
        json == null ? "" : new String(json.getBytes(), StandardCharsets.UTF_8), what, builder);
  }

  static <B extends Message.Builder> B parse(String json, String what, B builder) {
    String type = builder.getDescriptorForType().getName();
    if (json.isBlank()) {
      throw HaqException.invalid("%s is empty: send a %s as JSON", what, type);
    }
    try {
      PARSER.merge(json, builder);
      return builder;
    } catch (InvalidProtocolBufferException e) {
      throw HaqException.invalid("%s is not a %s as JSON: %s", what, type, explain(e));
    }
  }

  private static String explain(InvalidProtocolBufferException e) {
    String text = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    Matcher unknown = UNKNOWN_FIELD.matcher(text);
    if (unknown.find()) {
      return "there is no field '%s' in %s".formatted(unknown.group(1), unknown.group(2));
    }
    if (text.contains("gson") || text.contains("JsonReader")) {
      // The JSON library's own text advises on Java settings; the place is what helps.
      Matcher place = PLACE.matcher(text);
      return place.find() ? "bad syntax at " + place.group(1) : "bad syntax";
    }
    return text;
  }
}
