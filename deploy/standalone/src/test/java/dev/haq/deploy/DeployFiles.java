package dev.haq.deploy;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import dev.haq.gateway.GatewayService;
import dev.haq.rpc.RpcServer;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files below {@code deploy}, and what of a service they may name. */
final class DeployFiles {
  /** Port of every service, as its settings have it. */
  static final Map<String, Integer> PORTS =
      Map.of("hwsim", 9101, "quantizer", 9102, "agent", 9103, "gateway", 8080);

  private static final Path DEPLOY = Path.of("..").toAbsolutePath().normalize();
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{(HAQ_[A-Z0-9_]+)");

  /** Heap that an evaluation takes for each byte of its model's file, its quantized weights too. */
  private static final double HEAP_PER_MODEL_BYTE = 3.1;

  /** Evaluations that a quantizer has under way at once. */
  private static final int EVALUATIONS = 2;

  /** What a service's native libraries take of {@code /tmp}. */
  private static final long LIBRARIES = 512L << 20;

  private static final Map<String, Class<? extends HasMetadata>> KINDS =
      Map.of(
          "apps/v1 Deployment", Deployment.class,
          "apps/v1 StatefulSet", StatefulSet.class,
          "v1 Service", Service.class,
          "v1 ConfigMap", ConfigMap.class,
          "v1 PersistentVolumeClaim", PersistentVolumeClaim.class,
          "autoscaling/v2 HorizontalPodAutoscaler", HorizontalPodAutoscaler.class,
          "networking.k8s.io/v1 Ingress", Ingress.class,
          "networking.k8s.io/v1 NetworkPolicy", NetworkPolicy.class,
          "policy/v1 PodDisruptionBudget", PodDisruptionBudget.class);

  /** The model's classes take fields they do not know into a map; without it they refuse them. */
  private static final class NoUnknownFields extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1L;

    @Override
    public Boolean hasAnySetter(Annotated annotated) {
      return false;
    }
  }

  private static final ObjectMapper STRICT =
      JsonMapper.builder(new YAMLFactory().enable(YAMLParser.Feature.EMPTY_STRING_AS_NULL))
          .annotationIntrospector(new NoUnknownFields())
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .build();

  private DeployFiles() {}

  static Path file(String relative) {
    return DEPLOY.resolve(relative);
  }

  /** One YAML document, refused when a key occurs twice. */
  static JsonNode yaml(String relative) throws IOException {
    return STRICT.readTree(Files.readString(file(relative)));
  }

  /** Every object of a file of several documents. */
  static List<HasMetadata> objects(String text) throws IOException {
    List<HasMetadata> objects = new ArrayList<>();
    try (MappingIterator<JsonNode> documents = STRICT.readerFor(JsonNode.class).readValues(text)) {
      while (documents.hasNext()) {
        objects.add(object(documents.next()));
      }
    }
    return objects;
  }

  /** An object, refused when its kind or any of its fields is not known. */
  static HasMetadata object(JsonNode tree) throws IOException {
    String kind = tree.path("apiVersion").asText() + " " + tree.path("kind").asText();
    Class<? extends HasMetadata> type = KINDS.get(kind);
    if (type == null) {
      throw new IOException("unexpected object " + kind);
    }
    return STRICT.treeToValue(tree, type);
  }

  /** The objects of the files that a kustomization names as its resources. */
  static List<HasMetadata> resources(String folder) throws IOException {
    List<HasMetadata> objects = new ArrayList<>();
    for (JsonNode resource : yaml(folder + "kustomization.yaml").get("resources")) {
      if (resource.asText().endsWith(".yaml")) {
        objects.addAll(objects(Files.readString(file(folder + resource.asText()))));
      }
    }
    return objects;
  }

  /** The tag of the images: the project's version without what marks it as under way. */
  static String version() throws IOException {
    Matcher version =
        Pattern.compile("<version>(.+?)(-SNAPSHOT)?</version>")
            .matcher(Files.readString(DEPLOY.resolveSibling("pom.xml")));
    if (!version.find()) {
      throw new IOException("the project has no version");
    }
    return version.group(1);
  }

  /** How long a service gives calls under way once it is told to stop. */
  static long drainSeconds(String service) {
    return service.equals("gateway") ? GatewayService.GRACE_SECONDS : RpcServer.GRACE_SECONDS;
  }

  /** Fails where a quantizer of this heap and {@code /tmp} cannot evaluate models of this size. */
  static void checkLargestModel(long model, long heap, long tmp) {
    // Two of the largest, and models of as many bytes that are kept.
    assertTrue((EVALUATIONS * HEAP_PER_MODEL_BYTE + 1) * model <= heap, "of a heap of " + heap);
    // ONNX Runtime maps their weights: float and quantized, and those of a model being imported.
    assertTrue((2 * EVALUATIONS + 1) * model + LIBRARIES <= tmp, "of a /tmp of " + tmp);
  }

  /** A service's settings file, which holds every default. */
  static Path settings(String service) {
    String module = service.equals("gateway") ? service : service + "-service";
    return DEPLOY.resolveSibling(module).resolve("src/main/resources/" + service + ".yaml");
  }

  /** The environment variables that a service's settings file reads. */
  static Set<String> variables(String service) {
    Set<String> names = new TreeSet<>();
    Matcher matcher;
    try {
      matcher = VARIABLE.matcher(Files.readString(settings(service)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    while (matcher.find()) {
      names.add(matcher.group(1));
    }
    return names;
  }
}
