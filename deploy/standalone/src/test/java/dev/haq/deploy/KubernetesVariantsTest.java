package dev.haq.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.SecretKeySelector;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.networking.v1.Ingress;
import io.fabric8.kubernetes.api.model.networking.v1.IngressServiceBackend;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ways to keep sessions: the base as it is, and agents that share a PostgreSQL database. */
class KubernetesVariantsTest {
  private static final String POSTGRES = "kubernetes/postgres/";
  private static final String STORE_URL = "HAQ_AGENT_STORE_URL";

  @TempDir private Path overlay;

  private static <T extends HasMetadata> T one(
      List<HasMetadata> objects, Class<T> kind, String name) {
    List<T> found =
        objects.stream()
            .filter(kind::isInstance)
            .map(kind::cast)
            .filter(object -> object.getMetadata().getName().equals(name))
            .toList();
    assertEquals(1, found.size(), kind.getSimpleName() + " " + name);
    return found.get(0);
  }

  private static Container container(PodSpec pod) {
    assertEquals(1, pod.getContainers().size());
    return pod.getContainers().get(0);
  }

  private static EnvVar variable(Container container, String name) {
    return container.getEnv().stream()
        .filter(variable -> variable.getName().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not set"));
  }

  private static String secret(EnvVar variable) {
    assertEquals(null, variable.getValue());
    SecretKeySelector reference = variable.getValueFrom().getSecretKeyRef();
    return reference.getName() + "/" + reference.getKey();
  }

  @Test
  void postgresRunsWithoutRootOnAVolumeOfItsOwnAndIsProbed() throws IOException {
    StatefulSet set = one(DeployFiles.resources(POSTGRES), StatefulSet.class, "postgres");
    PodSpec pod = set.getSpec().getTemplate().getSpec();
    assertTrue(pod.getSecurityContext().getRunAsNonRoot());
    assertTrue(pod.getSecurityContext().getRunAsUser() > 0);
    Container container = container(pod);
    assertTrue(container.getImage().matches("postgres:\\d+-\\w+"), container.getImage());
    assertTrue(container.getSecurityContext().getReadOnlyRootFilesystem());
    assertFalse(container.getSecurityContext().getAllowPrivilegeEscalation());
    assertEquals(List.of("ALL"), container.getSecurityContext().getCapabilities().getDrop());
    Set<String> volumes =
        Stream.concat(
                pod.getVolumes().stream().map(Volume::getName),
                set.getSpec().getVolumeClaimTemplates().stream()
                    .map(claim -> claim.getMetadata().getName()))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(
        volumes,
        container.getVolumeMounts().stream()
            .map(VolumeMount::getName)
            .collect(Collectors.toCollection(TreeSet::new)));
    VolumeMount data =
        container.getVolumeMounts().stream()
            .filter(mount -> mount.getName().equals("data"))
            .findFirst()
            .orElseThrow();
    assertTrue(variable(container, "PGDATA").getValue().startsWith(data.getMountPath() + "/"));
    String user = variable(container, "POSTGRES_USER").getValue();
    String database = variable(container, "POSTGRES_DB").getValue();
    for (Probe probe :
        List.of(
            container.getStartupProbe(),
            container.getReadinessProbe(),
            container.getLivenessProbe())) {
      assertEquals(
          List.of("pg_isready", "-h", "127.0.0.1", "-U", user, "-d", database),
          probe.getExec().getCommand());
    }
  }

  @Test
  void theAddressToPutIntoTheSecretIsThatOfTheServer() throws IOException {
    List<HasMetadata> objects = DeployFiles.resources(POSTGRES);
    Container server =
        container(one(objects, StatefulSet.class, "postgres").getSpec().getTemplate().getSpec());
    ContainerPort port = server.getPorts().get(0);
    Service service = one(objects, Service.class, "postgres");
    assertEquals(port.getName(), service.getSpec().getPorts().get(0).getTargetPort().getStrVal());
    Matcher url =
        Pattern.compile("jdbc:postgresql://(\\w+):(\\d+)/(\\w+)\\?user=(\\w+)&password=\\$password")
            .matcher(Files.readString(DeployFiles.file(POSTGRES + "kustomization.yaml")));
    assertTrue(url.find());
    assertEquals(service.getMetadata().getName(), url.group(1));
    assertEquals(service.getSpec().getPorts().get(0).getPort(), Integer.valueOf(url.group(2)));
    assertEquals(variable(server, "POSTGRES_DB").getValue(), url.group(3));
    assertEquals(variable(server, "POSTGRES_USER").getValue(), url.group(4));
    assertEquals("agent-store/password", secret(variable(server, "POSTGRES_PASSWORD")));
    assertEquals(port.getContainerPort(), service.getSpec().getPorts().get(0).getPort());
  }

  @Test
  void onlyAgentsReachTheDatabase() throws IOException {
    List<HasMetadata> objects = DeployFiles.resources(POSTGRES);
    NetworkPolicy policy = one(objects, NetworkPolicy.class, "postgres");
    assertEquals(
        one(objects, StatefulSet.class, "postgres").getSpec().getSelector().getMatchLabels(),
        policy.getSpec().getPodSelector().getMatchLabels());
    assertEquals(1, policy.getSpec().getIngress().size());
    assertEquals(
        one(DeployFiles.resources("kubernetes/base/"), Deployment.class, "agent")
            .getSpec()
            .getSelector()
            .getMatchLabels(),
        policy.getSpec().getIngress().get(0).getFrom().get(0).getPodSelector().getMatchLabels());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "base", "local", "postgres", "managed-database"})
  void whatKustomizeRendersIsReadStrictlyAndEveryMapNamedExists(String variant)
      throws IOException, InterruptedException {
    List<HasMetadata> objects = rendered(variant);
    Map<String, String> maps =
        objects.stream()
            .filter(ConfigMap.class::isInstance)
            .map(object -> object.getMetadata().getName())
            .collect(Collectors.toMap(name -> name.replaceFirst("-[a-z0-9]+$", ""), name -> name));
    assertEquals(DeployFiles.PORTS.keySet(), maps.keySet());
    for (String service : DeployFiles.PORTS.keySet()) {
      Container container = serviceContainer(objects, service);
      assertEquals("haq/" + service + ":" + DeployFiles.version(), container.getImage());
      assertEquals("IfNotPresent", container.getImagePullPolicy());
      assertEquals(maps.get(service), container.getEnvFrom().get(0).getConfigMapRef().getName());
    }
    for (HasMetadata object : objects) {
      assertEquals(
          "haq",
          object.getMetadata().getLabels().get("app.kubernetes.io/part-of"),
          object.getMetadata().getName());
    }
  }

  private static Container serviceContainer(List<HasMetadata> objects, String service) {
    return container(one(objects, Deployment.class, service).getSpec().getTemplate().getSpec());
  }

  @ParameterizedTest
  @ValueSource(strings = {"postgres", "managed-database"})
  void severalAgentsShareTheDatabaseThatASecretNames(String variant)
      throws IOException, InterruptedException {
    List<HasMetadata> objects = rendered(variant);
    Deployment agent = one(objects, Deployment.class, "agent");
    assertTrue(agent.getSpec().getReplicas() >= 2);
    assertEquals("RollingUpdate", agent.getSpec().getStrategy().getType());
    PodSpec pod = agent.getSpec().getTemplate().getSpec();
    assertEquals("agent-store/url", secret(variable(container(pod), STORE_URL)));
    assertEquals(List.of("tmp"), pod.getVolumes().stream().map(Volume::getName).toList());
    assertEquals(
        List.of("/tmp"),
        container(pod).getVolumeMounts().stream().map(VolumeMount::getMountPath).toList());
    assertTrue(
        objects.stream()
            .filter(PersistentVolumeClaim.class::isInstance)
            .noneMatch(claim -> claim.getMetadata().getName().equals("agent")));
    Map<String, String> labels = agent.getSpec().getTemplate().getMetadata().getLabels();
    PodDisruptionBudget disruptions = one(objects, PodDisruptionBudget.class, "agent");
    assertTrue(
        labels
            .entrySet()
            .containsAll(disruptions.getSpec().getSelector().getMatchLabels().entrySet()));
    assertEquals(1, disruptions.getSpec().getMaxUnavailable().getIntVal());
    Service headless = one(objects, Service.class, "agent-headless");
    assertEquals("None", headless.getSpec().getClusterIP());
    assertTrue(labels.entrySet().containsAll(headless.getSpec().getSelector().entrySet()));
    String settings =
        serviceContainer(objects, "gateway").getEnvFrom().get(0).getConfigMapRef().getName();
    assertEquals(
        "dns:///agent-headless:" + headless.getSpec().getPorts().get(0).getPort(),
        one(objects, ConfigMap.class, settings).getData().get("HAQ_AGENT_TARGET"));
  }

  @Test
  void theEmbeddedDatabaseHasAVolumeAndOneAgent() throws IOException, InterruptedException {
    List<HasMetadata> objects = rendered("");
    Deployment agent = one(objects, Deployment.class, "agent");
    assertEquals(1, agent.getSpec().getReplicas());
    assertEquals("Recreate", agent.getSpec().getStrategy().getType());
    Container container = container(agent.getSpec().getTemplate().getSpec());
    String url = variable(container, STORE_URL).getValue();
    assertTrue(url.startsWith("jdbc:h2:file:"), url);
    assertTrue(
        container.getVolumeMounts().stream()
            .anyMatch(
                mount -> url.substring("jdbc:h2:file:".length()).startsWith(mount.getMountPath())));
  }

  @Test
  void oneQuantizerNeedsAVolumeOfOneNodeAloneAndIsNotScaled()
      throws IOException, InterruptedException {
    List<HasMetadata> objects = rendered("local");
    assertEquals(
        List.of("ReadWriteOnce"),
        one(objects, PersistentVolumeClaim.class, "quantizer").getSpec().getAccessModes());
    Deployment quantizer = one(objects, Deployment.class, "quantizer");
    assertEquals(1, quantizer.getSpec().getReplicas());
    assertEquals("Recreate", quantizer.getSpec().getStrategy().getType());
    assertEquals(
        List.of("hwsim"),
        objects.stream()
            .filter(HorizontalPodAutoscaler.class::isInstance)
            .map(object -> object.getMetadata().getName())
            .toList());
    assertTrue(
        objects.stream()
            .filter(PersistentVolumeClaim.class::isInstance)
            .map(PersistentVolumeClaim.class::cast)
            .noneMatch(claim -> claim.getSpec().getAccessModes().contains("ReadWriteMany")));
  }

  @Test
  void oneGatewayIsEnoughForOneNode() throws IOException, InterruptedException {
    assertEquals(1, one(rendered("local"), Deployment.class, "gateway").getSpec().getReplicas());
    assertEquals(2, one(rendered(""), Deployment.class, "gateway").getSpec().getReplicas());
  }

  @ParameterizedTest
  @ValueSource(strings = {"local", "", "postgres"})
  void theIngressPassesOnWhatIsLargeAndWhatTakesLongByANameThatTheGatewayAnswersTo(String variant)
      throws IOException, InterruptedException {
    List<HasMetadata> objects = renderedWith(variant, "ingress");
    Ingress ingress = one(objects, Ingress.class, "gateway");
    Map<String, String> annotations = ingress.getMetadata().getAnnotations();
    String nginx = "nginx.ingress.kubernetes.io/";
    assertEquals("0", annotations.get(nginx + "proxy-body-size"));
    assertEquals("off", annotations.get(nginx + "proxy-request-buffering"));
    assertEquals(
        setting("gateway", "HAQ_GATEWAY_EVALUATE_SECONDS"),
        annotations.get(nginx + "proxy-read-timeout"));
    assertEquals("haq", ingress.getMetadata().getLabels().get("app.kubernetes.io/part-of"));
    assertEquals(1, ingress.getSpec().getRules().size());
    String host = ingress.getSpec().getRules().get(0).getHost();
    String names = gatewaySettings(objects).get("HAQ_GATEWAY_ALLOWED_HOSTS");
    assertEquals(
        host + "," + gatewaySettings(rendered(variant)).get("HAQ_GATEWAY_ALLOWED_HOSTS"), names);
    IngressServiceBackend backend =
        ingress.getSpec().getRules().get(0).getHttp().getPaths().get(0).getBackend().getService();
    Service service = one(objects, Service.class, backend.getName());
    assertEquals(service.getSpec().getPorts().get(0).getName(), backend.getPort().getName());
  }

  @Test
  void thePublicGrpcApiHasAPortThatEverybodyReaches() throws IOException, InterruptedException {
    List<HasMetadata> objects = renderedWith("", "public-grpc");
    Map<String, String> settings = gatewaySettings(objects);
    assertEquals("true", settings.get("HAQ_GATEWAY_GRPC"));
    int port = Integer.parseInt(settings.get("HAQ_GATEWAY_GRPC_PORT"));
    ContainerPort containerPort =
        serviceContainer(objects, "gateway").getPorts().stream()
            .filter(one -> one.getContainerPort() == port)
            .findFirst()
            .orElseThrow();
    Service service = one(objects, Service.class, "gateway");
    assertEquals(2, service.getSpec().getPorts().size());
    assertTrue(
        service.getSpec().getPorts().stream()
            .anyMatch(
                one ->
                    one.getPort() == port
                        && one.getTargetPort().getStrVal().equals(containerPort.getName())
                        && "kubernetes.io/h2c".equals(one.getAppProtocol())));
    assertEquals(
        Set.of("http", containerPort.getName()),
        one(objects, NetworkPolicy.class, "gateway")
            .getSpec()
            .getIngress()
            .get(0)
            .getPorts()
            .stream()
            .map(one -> one.getPort().getStrVal())
            .collect(Collectors.toSet()));
  }

  private static Map<String, String> gatewaySettings(List<HasMetadata> objects) {
    String name =
        serviceContainer(objects, "gateway").getEnvFrom().get(0).getConfigMapRef().getName();
    return one(objects, ConfigMap.class, name).getData();
  }

  /** The default of a variable of a service's settings. */
  private static String setting(String service, String variable) throws IOException {
    Matcher value =
        Pattern.compile("\\$\\{" + variable + ":-([^}]*)}")
            .matcher(Files.readString(DeployFiles.settings(service)));
    assertTrue(value.find(), variable);
    return value.group(1);
  }

  /** What a variant comes to with a component added in an overlay. */
  private List<HasMetadata> renderedWith(String variant, String component)
      throws IOException, InterruptedException {
    Path folder = overlay.toRealPath();
    Path kubernetes = folder.relativize(DeployFiles.file("kubernetes").toRealPath());
    Files.writeString(
        folder.resolve("kustomization.yaml"),
        "resources: [%s]\ncomponents: [%s]\n"
            .formatted(kubernetes.resolve(variant), kubernetes.resolve(component)));
    return renderedFolder(folder);
  }

  /** The objects of a folder below {@code kubernetes}, as they would be applied. */
  private static List<HasMetadata> rendered(String variant)
      throws IOException, InterruptedException {
    return renderedFolder(DeployFiles.file("kubernetes/" + variant));
  }

  private static List<HasMetadata> renderedFolder(Path folder)
      throws IOException, InterruptedException {
    Process process;
    try {
      process =
          new ProcessBuilder("kubectl", "kustomize", folder.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
    } catch (IOException e) {
      return abort("kubectl is not installed: skipped");
    }
    String rendered = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor());
    return DeployFiles.objects(rendered);
  }
}
