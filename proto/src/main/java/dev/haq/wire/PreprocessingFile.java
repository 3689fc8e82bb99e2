package dev.haq.wire;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import dev.haq.model.Preprocessing.ChannelOrder;
import dev.haq.model.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The small file that says how a dataset's images are prepared, YAML or JSON: either
 *
 * <pre>preset: imagenet</pre>
 *
 * or any of the fields below, over the preset's values when one is named, else over {@code raw}:
 *
 * <pre>
 * resize_short_side: 256
 * crop: 224
 * mean: [123.675, 116.28, 103.53]
 * std: [58.395, 57.12, 57.375]
 * channels: RGB
 * </pre>
 *
 * {@code resize} is another name of {@code resize_short_side}. A {@code crop} that is no square has
 * its height and width, as {@code 224x192}. One number as {@code mean} or {@code std} is that of
 * all channels.
 */
public final class PreprocessingFile {
  /** What the file may be called, in or beside a folder of images. */
  public static final List<String> NAMES =
      List.of("preprocess.yaml", "preprocess.yml", "preprocess.json");

  private static final String PRESET = "preset";
  private static final String RESIZE = "resize_short_side";
  private static final String SHORT_RESIZE = "resize";
  private static final String CROP = "crop";
  private static final String MEAN = "mean";
  private static final String STD = "std";
  private static final String CHANNELS = "channels";
  private static final Set<String> FIELDS = Set.of(PRESET, RESIZE, CROP, MEAN, STD, CHANNELS);

  /** Height and width. */
  private static final Pattern SIDES = Pattern.compile("(\\d{1,5})x(\\d{1,5})");

  /** JSON is YAML too, so one parser reads both. */
  private static final ObjectMapper YAML =
      JsonMapper.builder(new YAMLFactory())
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .build();

  private final String name;
  private final JsonNode fields;

  private PreprocessingFile(String name, JsonNode fields) {
    this.name = name;
    this.fields = fields;
  }

  /**
   * Reads such a file.
   *
   * @param name of the file, for messages
   * @throws HaqException INVALID_DATASET naming the file and the field that is wrong
   */
  public static Preprocessing parse(byte[] content, String name) {
    JsonNode root;
    try {
      root = YAML.readTree(Utf8Text.of(content, name));
    } catch (JsonProcessingException e) {
      throw invalid(name, "it is not YAML or JSON (" + ParserText.of(e) + ")");
    }
    return new PreprocessingFile(name, root).read();
  }

  /** The fields of a preprocessing as {@link #read(JsonNode, String)} takes them back. */
  public static ObjectNode write(Preprocessing preprocessing) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put(RESIZE, preprocessing.resizeShortSide());
    int height = preprocessing.cropHeight();
    int width = preprocessing.cropWidth();
    if (height == width) {
      node.put(CROP, height);
    } else {
      node.put(CROP, height + "x" + width);
    }
    preprocessing.mean().forEach(node.putArray(MEAN)::add);
    preprocessing.std().forEach(node.putArray(STD)::add);
    node.put(CHANNELS, preprocessing.channels().name());
    return node;
  }

  /**
   * Reads the fields of such a file.
   *
   * @param name of where they come from, for messages
   */
  public static Preprocessing read(JsonNode node, String name) {
    return new PreprocessingFile(name, node).read();
  }

  private Preprocessing read() {
    if (!fields.isObject()) {
      throw invalid(name, "it has no fields: give a preset, or resize_short_side, crop, mean, std");
    }
    for (Iterator<String> names = fields.fieldNames(); names.hasNext(); ) {
      String field = names.next();
      if (!FIELDS.contains(field) && !field.equals(SHORT_RESIZE)) {
        throw invalid(
            name, "there is no field '" + field + "': use " + String.join(", ", sorted()));
      }
    }
    try {
      Preprocessing base = Preprocessing.preset(fields.path(PRESET).asText("raw"));
      return new Preprocessing(
          integer(fields.has(SHORT_RESIZE) ? SHORT_RESIZE : RESIZE, base.resizeShortSide()),
          crop(base.cropHeight(), 0),
          crop(base.cropWidth(), 1),
          numbers(MEAN, base.mean()),
          numbers(STD, base.std()),
          channels(base.channels()));
    } catch (HaqException e) {
      throw e.reason() == Reason.INVALID_ARGUMENT ? invalid(name, e.getMessage()) : e;
    }
  }

  private int integer(String field, int otherwise) {
    JsonNode value = fields.path(field);
    if (value.isMissingNode()) {
      return otherwise;
    }
    if (!value.isInt()) {
      throw invalid(name, field + " is " + value + ", not a whole number");
    }
    return value.intValue();
  }

  /**
   * @param side 0 for the height, 1 for the width
   */
  private int crop(int otherwise, int side) {
    JsonNode value = fields.path(CROP);
    if (!value.isTextual()) {
      return integer(CROP, otherwise);
    }
    Matcher sides = SIDES.matcher(value.asText().strip());
    if (!sides.matches()) {
      throw invalid(name, CROP + " is " + value + ", not a whole number or two as 224x192");
    }
    return Integer.parseInt(sides.group(1 + side));
  }

  private List<Double> numbers(String field, List<Double> otherwise) {
    JsonNode value = fields.path(field);
    if (value.isMissingNode()) {
      return otherwise;
    }
    List<Double> numbers = new ArrayList<>();
    for (JsonNode element : value.isContainerNode() ? value : List.of(value)) {
      if (!element.isNumber()) {
        throw invalid(name, field + " is " + value + ", not three numbers, or one for all");
      }
      numbers.add(element.doubleValue());
    }
    return numbers;
  }

  private ChannelOrder channels(ChannelOrder otherwise) {
    JsonNode value = fields.path(CHANNELS);
    if (value.isMissingNode()) {
      return otherwise;
    }
    return Arrays.stream(ChannelOrder.values())
        .filter(order -> order.name().equalsIgnoreCase(value.asText()))
        .findFirst()
        .orElseThrow(() -> invalid(name, "channels is " + value + ", not RGB or BGR"));
  }

  private static List<String> sorted() {
    return FIELDS.stream().sorted().toList();
  }

  private static HaqException invalid(String name, String why) {
    return new HaqException(Reason.INVALID_DATASET, name + " cannot be used: " + why);
  }
}
