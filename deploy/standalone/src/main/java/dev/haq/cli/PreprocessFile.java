package dev.haq.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.haq.model.HaqException;
import dev.haq.model.Preprocessing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * How images are prepared, as a preset's name or a small file with the keys {@code preset}, {@code
 * resize_short_side} (or {@code resize}), {@code crop}, {@code mean}, {@code std}, {@code
 * channels}.
 */
final class PreprocessFile {
  /** The file's name beside or in a dataset. */
  static final String NAME = "preprocess.yaml";

  /** What it may be called; JSON is YAML too. */
  private static final List<String> NAMES = List.of(NAME, "preprocess.yml", "preprocess.json");

  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
  private static final Set<String> PRESETS = Set.of("imagenet", "cifar10", "tensorflow", "raw");
  private static final Set<String> KEYS =
      new TreeSet<>(Set.of("channels", "crop", "mean", "preset", "resize_short_side", "std"));

  private static final String SHORT_RESIZE = "resize";

  private PreprocessFile() {}

  /** What {@code --preprocess} says: a preset's name, or a file. */
  static Preprocessing option(String presetOrFile) {
    if (PRESETS.contains(presetOrFile)) {
      return Preprocessing.preset(presetOrFile);
    }
    Path file = Path.of(presetOrFile);
    if (!Files.isRegularFile(file)) {
      throw HaqException.invalid(
          "--preprocess %s: neither a file nor one of %s", presetOrFile, new TreeSet<>(PRESETS));
    }
    return read(file);
  }

  /** What stands beside the data, if anything does. */
  static Optional<Preprocessing> beside(Path data) {
    return NAMES.stream()
        .flatMap(name -> FolderZip.companion(data, name).stream())
        .findFirst()
        .map(PreprocessFile::read);
  }

  static Preprocessing read(Path file) {
    try {
      return parse(Files.readString(file), file.toString());
    } catch (IOException e) {
      throw HaqException.invalid("cannot read %s: %s", file, e.getMessage());
    }
  }

  /**
   * @param origin names the text in errors
   */
  static Preprocessing parse(String text, String origin) {
    JsonNode tree;
    try {
      tree = YAML.readTree(text);
    } catch (JsonProcessingException e) {
      throw HaqException.invalid("%s is not YAML: %s", origin, e.getOriginalMessage());
    }
    if (!tree.isObject()) {
      throw HaqException.invalid("%s: expected the keys %s", origin, KEYS);
    }
    for (Map.Entry<String, JsonNode> field : tree.properties()) {
      if (!KEYS.contains(field.getKey()) && !field.getKey().equals(SHORT_RESIZE)) {
        throw HaqException.invalid(
            "%s: there is no key '%s': use %s", origin, field.getKey(), KEYS);
      }
    }
    Preprocessing start = Preprocessing.preset(tree.path("preset").asText("raw"));
    return new Preprocessing(
        integer(
            tree,
            tree.has(SHORT_RESIZE) ? SHORT_RESIZE : "resize_short_side",
            start.resizeShortSide(),
            origin),
        integer(tree, "crop", start.crop(), origin),
        numbers(tree, "mean", start.mean(), origin),
        numbers(tree, "std", start.std(), origin),
        channels(tree, start.channels(), origin));
  }

  /** The same as a file: every key, always the same text. */
  static String text(Preprocessing preprocessing) {
    return """
        resize_short_side: %d
        crop: %d
        mean: %s
        std: %s
        channels: %s
        """
        .formatted(
            preprocessing.resizeShortSide(),
            preprocessing.crop(),
            preprocessing.mean(),
            preprocessing.std(),
            preprocessing.channels());
  }

  private static int integer(JsonNode tree, String key, int absent, String origin) {
    JsonNode node = tree.get(key);
    if (node == null) {
      return absent;
    }
    if (!node.isInt()) {
      throw HaqException.invalid("%s: %s must be a whole number of pixels", origin, key);
    }
    return node.intValue();
  }

  private static List<Double> numbers(
      JsonNode tree, String key, List<Double> absent, String origin) {
    JsonNode node = tree.get(key);
    if (node == null) {
      return absent;
    }
    List<Double> values = new ArrayList<>();
    for (JsonNode element : node) {
      if (!element.isNumber()) {
        throw HaqException.invalid("%s: %s must be three numbers on 0..255", origin, key);
      }
      values.add(element.doubleValue());
    }
    return values;
  }

  private static Preprocessing.ChannelOrder channels(
      JsonNode tree, Preprocessing.ChannelOrder absent, String origin) {
    JsonNode node = tree.get("channels");
    if (node == null) {
      return absent;
    }
    return switch (node.asText().toUpperCase(Locale.ROOT)) {
      case "RGB" -> Preprocessing.ChannelOrder.RGB;
      case "BGR" -> Preprocessing.ChannelOrder.BGR;
      default -> throw HaqException.invalid("%s: channels must be RGB or BGR", origin);
    };
  }
}
