package dev.haq.hwsim.accelerator;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The accelerators that are known by name. */
public final class Catalogue {
  /** Files among the resources, in the order they are listed. */
  private static final List<String> BUILT_IN = List.of("bismo-cloud", "bismo-edge");

  private static final ObjectReader READER =
      JsonMapper.builder(new YAMLFactory())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .build()
          .readerFor(Accelerator.class);

  private final Map<String, Accelerator> byName = new LinkedHashMap<>();

  private Catalogue(List<Accelerator> accelerators) {
    accelerators.forEach(accelerator -> byName.put(accelerator.name(), accelerator));
  }

  /** The accelerators that come with this service. */
  public static Catalogue builtIn() {
    return new Catalogue(BUILT_IN.stream().map(Catalogue::resource).toList());
  }

  private static Accelerator resource(String name) {
    String path = "/accelerators/" + name + ".yaml";
    try (InputStream in = Catalogue.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + path);
      }
      return parse(path, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the resource " + path, e);
    }
  }

  /**
   * An accelerator from the text of its YAML or JSON file.
   *
   * @param origin the file's name, for messages
   * @throws HaqException INVALID_ARGUMENT naming the key that is wrong
   */
  public static Accelerator parse(String origin, String yaml) {
    try {
      return READER.readValue(yaml);
    } catch (JsonMappingException e) {
      StringBuilder key = new StringBuilder();
      e.getPath().forEach(step -> key.append(key.isEmpty() ? "" : ".").append(step.getFieldName()));
      Throwable cause = e.getCause() instanceof HaqException ? e.getCause() : null;
      throw HaqException.invalid(
          "accelerator %s: %s%s",
          origin,
          key.isEmpty() ? "" : "key " + key + ": ",
          cause != null ? cause.getMessage() : e.getOriginalMessage());
    } catch (JsonProcessingException e) {
      throw HaqException.invalid(
          "accelerator %s: not readable as YAML: %s", origin, e.getOriginalMessage());
    }
  }

  /** All of them, in the order they are listed. */
  public List<Accelerator> all() {
    return List.copyOf(byName.values());
  }

  /**
   * One of them.
   *
   * @throws HaqException UNKNOWN_TARGET with the names there are
   */
  public Accelerator get(String name) {
    Accelerator found = byName.get(name);
    if (found == null) {
      throw new HaqException(
          Reason.UNKNOWN_TARGET,
          "there is no target '%s': choose one of %s"
              .formatted(name, String.join(", ", byName.keySet())));
    }
    return found;
  }
}
