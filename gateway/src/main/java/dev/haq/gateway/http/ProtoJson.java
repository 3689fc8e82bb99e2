package dev.haq.gateway.http;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Messages as JSON and back: the proto3 JSON mapping with the field names kept (snake_case), fields
 * at their default included, on one line. Unknown fields are refused, and so is to print more than
 * {@link #MOST_CHARACTERS}.
 */
final class ProtoJson {
  /**
   * The longest answer: the cost table of 10,000 layers has 20 million characters. Four times as
   * many bytes are needed while it is made.
   */
  static final int MOST_CHARACTERS = 32 << 20;

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

  /**
   * A message as JSON.
   *
   * @throws HaqException TOO_LARGE when it is longer than may be
   */
  static String print(MessageOrBuilder message) {
    Bounded text = new Bounded();
    try {
      PRINTER.appendTo(message, text);
    } catch (IOException e) {
      throw new IllegalStateException("no message of the contract holds an Any", e);
    }
    return text.toString();
  }

  /** Text that must not grow too long. */
  private static final class Bounded implements Appendable {
    private final StringBuilder text = new StringBuilder();

    private Bounded room(int more) {
      if (text.length() + more > MOST_CHARACTERS) {
        throw new HaqException(
            Reason.TOO_LARGE,
            "the answer has more than %d characters as JSON: ask for less, or over gRPC"
                .formatted(MOST_CHARACTERS));
      }
      return this;
    }

    @Override
    public Appendable append(CharSequence more) {
      room(more.length()).text.append(more);
      return this;
    }

    @Override
    public Appendable append(CharSequence more, int start, int end) {
      room(end - start).text.append(more, start, end);
      return this;
    }

    @Override
    public Appendable append(char more) {
      room(1).text.append(more);
      return this;
    }

    @Override
    public String toString() {
      return text.toString();
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
    boolean cutOff = text.contains("EOFException");
    if (cutOff || text.contains("gson") || text.contains("JsonReader")) {
      // The JSON library's own text advises on Java settings; the place is what helps.
      Matcher place = PLACE.matcher(text);
      String fault = cutOff ? "it ends too soon" : "bad syntax";
      return place.find() ? fault + " at " + place.group(1) : fault;
    }
    return text;
  }
}
