package dev.haq.rpc;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.haq.model.HaqException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.text.StringSubstitutor;

/**
 * A service's settings: one commented YAML file among its resources holds every default once; each
 * value names the environment variable that overrides it, as {@code ${NAME:-default}}. Read once,
 * into a record.
 */
public final class Settings {
  private static final ObjectMapper YAML =
      JsonMapper.builder(new YAMLFactory())
          .propertyNamingStrategy(PropertyNamingStrategies.KEBAB_CASE)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .build();

  private Settings() {}

  /**
   * Reads settings.
   *
   * @param type a record whose components are the file's keys in kebab-case
   * @param resource the defaults, beside {@code type} on the class path root
   * @param file replaces the whole resource when present
   */
  public static <T> T load(Class<T> type, String resource, Optional<Path> file) {
    return load(type, resource, file, System.getenv());
  }

  /** As above, with {@code overrides} in place of the environment. */
  public static <T> T load(
      Class<T> type, String resource, Optional<Path> file, Map<String, String> overrides) {
    String text = file.map(Settings::read).orElseGet(() -> readResource(type, resource));
    String origin = file.map(Path::toString).orElse(resource);
    String filled = fill(text, origin, overrides);
    try {
      return YAML.readValue(filled, type);
    } catch (JsonMappingException e) {
      throw HaqException.invalid("settings %s: %s", origin, explain(e));
    } catch (JsonProcessingException e) {
      throw HaqException.invalid(
          "settings %s: not readable as YAML: %s", origin, e.getOriginalMessage());
    }
  }

  private static String fill(String text, String origin, Map<String, String> overrides) {
    try {
      return new StringSubstitutor(new HashMap<>(overrides))
          .setEnableUndefinedVariableException(true)
          .replace(text);
    } catch (IllegalArgumentException e) {
      throw HaqException.invalid("settings %s: %s", origin, e.getMessage());
    }
  }

  private static String explain(JsonMappingException e) {
    if (e.getCause() instanceof HaqException typed) {
      return typed.getMessage();
    }
    StringBuilder path = new StringBuilder();
    e.getPath().forEach(step -> path.append(path.isEmpty() ? "" : ".").append(step.getFieldName()));
    if (e.getOriginalMessage().startsWith("Cannot map `null`")) {
      return "key '" + path + "' must be given";
    }
    return "key '" + path + "': " + e.getOriginalMessage().lines().findFirst().orElse("");
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw HaqException.invalid("cannot read the settings file %s", file);
    }
  }

  private static String readResource(Class<?> type, String resource) {
    try (InputStream in = type.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + resource);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("cannot read the resource " + resource, e);
    }
  }
}
