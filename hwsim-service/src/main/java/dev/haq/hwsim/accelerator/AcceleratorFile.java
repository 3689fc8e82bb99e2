package dev.haq.hwsim.accelerator;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.haq.model.HaqException;
import dev.haq.wire.ParserText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** An accelerator's YAML or JSON text: read, and read again with other figures in some places. */
public final class AcceleratorFile {
  /** Longest description taken, in characters; the shipped ones have about two thousand. */
  private static final int MAX_CHARACTERS = 64 << 10;

  private static final Set<Class<?>> WHOLE =
      Set.of(int.class, Integer.class, long.class, Long.class);

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(new YAMLFactory())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .build();

  private final String origin;
  private final String text;
  private final JsonNode tree;
  private final Accelerator accelerator;

  private AcceleratorFile(String origin, String text, JsonNode tree) {
    this.origin = origin;
    this.text = text;
    this.tree = tree;
    this.accelerator = read(origin, tree);
  }

  /**
   * An accelerator from the text of its YAML or JSON file.
   *
   * @param origin the file's name, for messages
   * @throws HaqException INVALID_ARGUMENT naming the key that is wrong
   */
  public static AcceleratorFile parse(String origin, String text) {
    if (text.length() > MAX_CHARACTERS) {
      throw HaqException.invalid(
          "accelerator %s has %d characters: give at most %d",
          origin, text.length(), MAX_CHARACTERS);
    }
    try (JsonParser parser = MAPPER.createParser(text)) {
      JsonNode tree = MAPPER.readTree(parser);
      if (tree == null || !tree.isObject()) {
        throw HaqException.invalid("accelerator %s: expected keys and values", origin);
      }
      if (parser.nextToken() != null) {
        throw HaqException.invalid(
            "accelerator %s: a second document begins at line %d: give one accelerator a file",
            origin, parser.currentTokenLocation().getLineNr());
      }
      return new AcceleratorFile(origin, text, tree);
    } catch (JsonProcessingException e) {
      throw HaqException.invalid(
          "accelerator %s%s: not readable as YAML: %s", origin, line(text, e), ParserText.of(e));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory throws none
    }
  }

  /** Where the text cannot be read, with what stands there. */
  private static String line(String text, JsonProcessingException e) {
    if (e.getLocation() == null) {
      return "";
    }
    int number = e.getLocation().getLineNr();
    return text.lines()
        .skip(Math.max(0, number - 1L))
        .findFirst()
        .map(line -> ", line %d '%s'".formatted(number, line.strip()))
        .orElse("");
  }

  /** The text as it was given, comments and all. */
  public String text() {
    return text;
  }

  /** Whether a figure takes whole numbers alone: those that are whole now do, but for the clock. */
  public boolean isWhole(String key) {
    JsonNode node = tree;
    for (String step : key.split("\\.", -1)) {
      node = node.path(step);
    }
    return node.isIntegralNumber() && !isReal(key);
  }

  /** Figures that may have a fraction although a description may write them without one. */
  private static boolean isReal(String key) {
    return key.equals("clock_hz")
        || (key.startsWith("roofline.")
            && !key.matches("roofline\\.(tile_.*|lane_bits|output_bits)"))
        || key.contains("energy.");
  }

  /** What the text says. */
  public Accelerator accelerator() {
    return accelerator;
  }

  /**
   * The same machine with other figures.
   *
   * @param values by key, such as {@code clock_hz} or {@code bit_fusion.dram_bits_per_cycle}; each
   *     a number, or a word for a switch
   * @throws HaqException INVALID_ARGUMENT naming the key that is wrong
   */
  public AcceleratorFile with(Map<String, Object> values) {
    if (values.isEmpty()) {
      return this;
    }
    ObjectNode changed = tree.deepCopy();
    values.forEach((key, value) -> set(changed, key, value));
    return new AcceleratorFile(origin, changed.toString(), changed);
  }

  private void set(ObjectNode root, String key, Object value) {
    if (value.toString().isBlank()) {
      // Read as no value, it would take the figure away, and with it a limit.
      throw HaqException.invalid(
          "accelerator %s: key %s has no value: give a number or a word", origin, key);
    }
    ObjectNode node = root;
    String[] steps = key.split("\\.", -1);
    for (int i = 0; i < steps.length - 1; i++) {
      JsonNode next = node.get(steps[i]);
      if (next == null) {
        next = node.putObject(steps[i]);
      }
      if (!(next instanceof ObjectNode object)) {
        throw HaqException.invalid(
            "accelerator %s: key %s cannot be set: %s holds no keys", origin, key, steps[i]);
      }
      node = object;
    }
    JsonNode old = node.get(steps[steps.length - 1]);
    if (key.equals("name") || (old != null && old.isContainerNode())) {
      throw HaqException.invalid(
          "accelerator %s: key %s cannot be overridden: give the key of one figure", origin, key);
    }
    node.set(steps[steps.length - 1], value(value));
  }

  private static JsonNode value(Object value) {
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    if (!(value instanceof Double number)) {
      return nodes.textNode(value.toString());
    }
    boolean whole = number == Math.rint(number) && Math.abs(number) <= Integer.MAX_VALUE;
    return whole ? nodes.numberNode(number.intValue()) : nodes.numberNode(number);
  }

  private static Accelerator read(String origin, JsonNode tree) {
    checkLists(origin, "", tree);
    try {
      Accelerator accelerator = MAPPER.treeToValue(tree, Accelerator.class);
      accelerator.costModel(accelerator.batch()); // refuses figures that do not go together
      return accelerator;
    } catch (HaqException e) {
      throw new HaqException(e.reason(), "accelerator %s: %s".formatted(origin, e.getMessage()), e);
    } catch (JsonMappingException e) {
      StringBuilder key = new StringBuilder();
      for (JsonMappingException.Reference step : e.getPath()) {
        if (step.getFieldName() != null) {
          key.append(key.isEmpty() ? "" : ".").append(step.getFieldName());
        } else {
          key.append('[').append(step.getIndex()).append(']');
        }
      }
      throw HaqException.invalid(
          "accelerator %s: %s%s", origin, key.isEmpty() ? "" : "key " + key + ": ", reason(e));
    } catch (JsonProcessingException e) {
      throw HaqException.invalid("accelerator %s: %s", origin, ParserText.of(e));
    }
  }

  /** Refuses a list with an entry that is left out, which reads as null. */
  private static void checkLists(String origin, String key, JsonNode node) {
    if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        String entry = key + "[" + i + "]";
        if (node.get(i).isNull()) {
          throw HaqException.invalid(
              "accelerator %s: key %s: it is missing: give it, or leave its place out",
              origin, entry);
        }
        checkLists(origin, entry, node.get(i));
      }
    } else {
      node.properties()
          .forEach(
              field ->
                  checkLists(
                      origin,
                      key.isEmpty() ? field.getKey() : key + "." + field.getKey(),
                      field.getValue()));
    }
  }

  private static String reason(JsonMappingException e) {
    if (e.getCause() instanceof HaqException typed) {
      return typed.getMessage();
    }
    if (e instanceof UnrecognizedPropertyException unknown) {
      return "there is no such key: the keys beside it are "
          + unknown.getKnownPropertyIds().stream()
              .map(Object::toString)
              .sorted()
              .collect(Collectors.joining(", "));
    }
    if (e instanceof InvalidFormatException wrong) {
      return "%s is not %s".formatted(wrong.getValue(), wanted(wrong.getTargetType()));
    }
    String text = e.getOriginalMessage();
    if (text.startsWith("Cannot map `null`")) {
      return "it is missing: give its number";
    }
    // The parser's own words name Java classes.
    return e instanceof MismatchedInputException wrong && wrong.getTargetType() != null
        ? "expected " + wanted(wrong.getTargetType())
        : text;
  }

  private static String wanted(Class<?> type) {
    if (type.isEnum()) {
      return Arrays.stream(type.getEnumConstants())
          .map(word -> word.toString().toLowerCase(Locale.ROOT))
          .collect(Collectors.joining(" or "));
    }
    if (type == Boolean.class) {
      return "true or false";
    }
    if (type == String.class) {
      return "a word";
    }
    if (Collection.class.isAssignableFrom(type)) {
      return "a list, such as [2, 4, 8]";
    }
    if (type.isRecord()) {
      return "keys and values";
    }
    return WHOLE.contains(type) ? "a whole number" : "a number";
  }
}
