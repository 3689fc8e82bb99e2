package dev.haq.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HPAScalingRules;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricSpec;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyIngressRule;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class KubernetesObjectsTest {
  private static final String FOLDER = "kubernetes/base/";

  private static JsonNode kustomization;
  private static final List<HasMetadata> OBJECTS = new ArrayList<>();

  /** Reading them is itself the check that no field is unknown. */
  @BeforeAll
  static void readEveryObjectStrictly() throws IOException {
    kustomization = DeployFiles.yaml(FOLDER + "kustomization.yaml");
    OBJECTS.addAll(DeployFiles.resources(FOLDER));
  }

  private static <T extends HasMetadata> Map<String, T> byName(Class<T> kind) {
    return OBJECTS.stream()
        .filter(kind::isInstance)
        .map(kind::cast)
        .collect(
            Collectors.toMap(
                object -> object.getMetadata().getName(),
                object -> object,
                (a, b) -> {
                  throw new AssertionError("two of name " + a.getMetadata().getName());
                },
                TreeMap::new));
  }

  private static Container container(Deployment deployment) {
    List<Container> containers = deployment.getSpec().getTemplate().getSpec().getContainers();
    assertEquals(1, containers.size());
    return containers.get(0);
  }

  @Test
  void anUnknownFieldIsRefusedWhereverItStands() throws IOException {
    String deployment =
        Files.readString(DeployFiles.file(FOLDER + "hwsim.yaml")).split("\n---\n", 2)[0];
    assertEquals(1, DeployFiles.objects(deployment).size());
    for (String[] change :
        List.of(
            new String[] {"runAsNonRoot:", "runAsNotRoot:"},
            new String[] {"failureThreshold:", "failureTreshold:"},
            new String[] {"matchLabels:", "matchLabel:"},
            new String[] {"\nspec:", "\nsepc:"})) {
      String wrong = deployment.replace(change[0], change[1]);
      assertFalse(wrong.equals(deployment));
      assertThrows(IOException.class, () -> DeployFiles.objects(wrong), change[1]);
    }
  }

  @Test
  void thereIsOneDeploymentForEachService() {
    assertEquals(DeployFiles.PORTS.keySet(), byName(Deployment.class).keySet());
  }

  @Test
  void everyPodRunsWithoutRootOnAReadOnlyFileSystem() {
    for (Deployment deployment : byName(Deployment.class).values()) {
      PodSpec pod = deployment.getSpec().getTemplate().getSpec();
      assertTrue(pod.getSecurityContext().getRunAsNonRoot());
      assertTrue(pod.getSecurityContext().getRunAsUser() > 0);
      assertFalse(pod.getAutomountServiceAccountToken());
      Container container = container(deployment);
      assertTrue(container.getSecurityContext().getReadOnlyRootFilesystem());
      assertFalse(container.getSecurityContext().getAllowPrivilegeEscalation());
      assertEquals(List.of("ALL"), container.getSecurityContext().getCapabilities().getDrop());
      assertEquals(Set.of("cpu", "memory"), container.getResources().getRequests().keySet());
      assertTrue(container.getResources().getLimits().containsKey("memory"));
    }
  }

  @Test
  void everyContainerIsProbedAtThePortItsSettingsAndItsServiceName() {
    for (Map.Entry<String, Deployment> entry : byName(Deployment.class).entrySet()) {
      String name = entry.getKey();
      Container container = container(entry.getValue());
      int port = DeployFiles.PORTS.get(name);
      ContainerPort containerPort = container.getPorts().get(0);
      assertEquals(port, containerPort.getContainerPort());
      assertEquals(
          Integer.toString(port),
          settings(name).get("HAQ_%s_PORT".formatted(name.toUpperCase(Locale.ROOT))));
      for (Probe probe :
          List.of(
              container.getStartupProbe(),
              container.getReadinessProbe(),
              container.getLivenessProbe())) {
        if (name.equals("gateway")) {
          assertEquals(containerPort.getName(), probe.getHttpGet().getPort().getStrVal());
        } else {
          assertEquals(port, probe.getGrpc().getPort());
        }
      }
      Service service = byName(Service.class).get(name);
      assertEquals(port, service.getSpec().getPorts().get(0).getPort());
      assertEquals(
          containerPort.getName(), service.getSpec().getPorts().get(0).getTargetPort().getStrVal());
    }
  }

  @Test
  void everyServiceSelectsThePodsOfOneDeployment() {
    for (Service service : byName(Service.class).values()) {
      long selected =
          byName(Deployment.class).values().stream()
              .filter(d -> matches(d, service.getSpec().getSelector()))
              .count();
      assertEquals(1, selected, service.getMetadata().getName());
    }
    for (Deployment deployment : byName(Deployment.class).values()) {
      assertTrue(matches(deployment, deployment.getSpec().getSelector().getMatchLabels()));
    }
  }

  private static boolean matches(Deployment deployment, Map<String, String> selector) {
    Map<String, String> labels = deployment.getSpec().getTemplate().getMetadata().getLabels();
    return labels.entrySet().containsAll(selector.entrySet());
  }

  @Test
  void balancedServicesHaveAHeadlessServiceAndAnAutoscaler() {
    for (String name : List.of("hwsim", "quantizer")) {
      Service headless = byName(Service.class).get(name + "-headless");
      assertEquals("None", headless.getSpec().getClusterIP());
      HorizontalPodAutoscaler scaler = byName(HorizontalPodAutoscaler.class).get(name);
      assertEquals(name, scaler.getSpec().getScaleTargetRef().getName());
      assertEquals("Deployment", scaler.getSpec().getScaleTargetRef().getKind());
      assertTrue(scaler.getSpec().getMinReplicas() >= 1);
      assertTrue(scaler.getSpec().getMaxReplicas() > scaler.getSpec().getMinReplicas());
      MetricSpec metric = scaler.getSpec().getMetrics().get(0);
      assertEquals("cpu", metric.getResource().getName());
      // Of what the container requests.
      assertEquals("Utilization", metric.getResource().getTarget().getType());
      int percent = metric.getResource().getTarget().getAverageUtilization();
      assertTrue(percent > 0 && percent < 100);
      // A number here would undo the autoscaler's at every apply.
      assertEquals(null, byName(Deployment.class).get(name).getSpec().getReplicas());
    }
  }

  @Test
  void quantizersAreTakenAwayOneAtATimeAndSlowly() {
    HPAScalingRules down =
        byName(HorizontalPodAutoscaler.class)
            .get("quantizer")
            .getSpec()
            .getBehavior()
            .getScaleDown();
    assertTrue(down.getStabilizationWindowSeconds() >= 300);
    assertEquals(1, down.getPolicies().size());
    assertEquals("Pods", down.getPolicies().get(0).getType());
    assertEquals(1, down.getPolicies().get(0).getValue());
    assertTrue(down.getPolicies().get(0).getPeriodSeconds() >= 120);
  }

  @Test
  void aDrainTakesOneReplicaAtATimeOfWhatHasSeveral() {
    Map<String, PodDisruptionBudget> budgets = byName(PodDisruptionBudget.class);
    assertEquals(Set.of("hwsim", "quantizer", "gateway"), budgets.keySet());
    budgets.forEach(
        (name, budget) -> {
          assertEquals(1, budget.getSpec().getMaxUnavailable().getIntVal());
          assertEquals(
              byName(Deployment.class).get(name).getSpec().getSelector(),
              budget.getSpec().getSelector());
        });
  }

  @Test
  void theGatewayHasReplicasOnDifferentNodes() {
    Deployment gateway = byName(Deployment.class).get("gateway");
    assertTrue(gateway.getSpec().getReplicas() >= 2);
    PodSpec pod = gateway.getSpec().getTemplate().getSpec();
    assertEquals(
        "kubernetes.io/hostname", pod.getTopologySpreadConstraints().get(0).getTopologyKey());
    assertEquals(
        gateway.getSpec().getSelector(),
        pod.getTopologySpreadConstraints().get(0).getLabelSelector());
  }

  @Test
  void aServiceIsReachedByThoseAloneThatItsAddressIsGivenTo() {
    for (String service : DeployFiles.PORTS.keySet()) {
      NetworkPolicy policy = byName(NetworkPolicy.class).get(service);
      Deployment deployment = byName(Deployment.class).get(service);
      assertEquals(deployment.getSpec().getSelector(), policy.getSpec().getPodSelector());
      assertEquals(List.of("Ingress"), policy.getSpec().getPolicyTypes());
      assertEquals(1, policy.getSpec().getIngress().size());
      NetworkPolicyIngressRule rule = policy.getSpec().getIngress().get(0);
      assertEquals(
          List.of(container(deployment).getPorts().get(0).getName()),
          rule.getPorts().stream().map(port -> port.getPort().getStrVal()).toList());
      String variable = "HAQ_%s_TARGET".formatted(service.toUpperCase(Locale.ROOT));
      Set<Map<String, String>> callers =
          DeployFiles.PORTS.keySet().stream()
              .filter(caller -> settings(caller).containsKey(variable))
              .map(
                  caller ->
                      byName(Deployment.class).get(caller).getSpec().getSelector().getMatchLabels())
              .collect(Collectors.toSet());
      assertEquals(
          callers,
          rule.getFrom().stream()
              .map(from -> from.getPodSelector().getMatchLabels())
              .collect(Collectors.toSet()),
          service);
    }
  }

  @Test
  void theGatewayAnswersToItsOwnNamesAlone() {
    List<String> names = List.of(settings("gateway").get("HAQ_GATEWAY_ALLOWED_HOSTS").split(","));
    Service service = byName(Service.class).get("gateway");
    assertEquals(service.getMetadata().getName(), names.get(0));
    for (String name : names) {
      assertTrue(name.equals(names.get(0)) || name.startsWith(names.get(0) + "."), name);
    }
  }

  @Test
  void aPodHasTimeToBeForgottenAndToFinishItsCallsBeforeItIsKilled() {
    for (Map.Entry<String, Deployment> entry : byName(Deployment.class).entrySet()) {
      List<String> preStop =
          container(entry.getValue()).getLifecycle().getPreStop().getExec().getCommand();
      assertEquals("sleep", preStop.get(0));
      long leaving = Long.parseLong(preStop.get(1)) + DeployFiles.drainSeconds(entry.getKey());
      PodSpec pod = entry.getValue().getSpec().getTemplate().getSpec();
      assertTrue(pod.getTerminationGracePeriodSeconds() > leaving, entry.getKey());
    }
  }

  @Test
  void everyVolumeIsMountedAndEveryClaimExists() {
    Set<String> claimed = new TreeSet<>();
    for (Deployment deployment : byName(Deployment.class).values()) {
      List<Volume> volumes = deployment.getSpec().getTemplate().getSpec().getVolumes();
      Set<String> names = volumes.stream().map(Volume::getName).collect(Collectors.toSet());
      List<VolumeMount> mounts = container(deployment).getVolumeMounts();
      assertEquals(names, mounts.stream().map(VolumeMount::getName).collect(Collectors.toSet()));
      assertTrue(mounts.stream().anyMatch(mount -> mount.getMountPath().equals("/tmp")));
      volumes.stream()
          .filter(volume -> volume.getPersistentVolumeClaim() != null)
          .forEach(volume -> claimed.add(volume.getPersistentVolumeClaim().getClaimName()));
    }
    assertEquals(Set.of("agent", "quantizer"), claimed);
    assertEquals(claimed, byName(PersistentVolumeClaim.class).keySet());
  }

  /** The generated map's variables. */
  private static Map<String, String> settings(String service) {
    for (JsonNode generator : kustomization.get("configMapGenerator")) {
      if (generator.get("name").asText().equals(service)) {
        Map<String, String> settings = new TreeMap<>();
        for (JsonNode literal : generator.get("literals")) {
          String[] parts = literal.asText().split("=", 2);
          settings.put(parts[0], parts[1]);
        }
        return settings;
      }
    }
    throw new AssertionError("no configMapGenerator for " + service);
  }

  @Test
  void everyVariableIsOneThatTheServicesSettingsRead() throws IOException {
    for (Map.Entry<String, Deployment> entry : byName(Deployment.class).entrySet()) {
      String service = entry.getKey();
      assertEquals(
          service, container(entry.getValue()).getEnvFrom().get(0).getConfigMapRef().getName());
      Set<String> unknown = new TreeSet<>(settings(service).keySet());
      container(entry.getValue()).getEnv().forEach(variable -> unknown.add(variable.getName()));
      unknown.removeAll(DeployFiles.variables(service));
      assertEquals(Set.of(), unknown, service + ".yaml does not read these");
    }
  }

  @Test
  void aQuantizerRunsAsManyThreadsAsItRequestsCoresAndItsCacheFitsItsVolume() {
    Container quantizer = container(byName(Deployment.class).get("quantizer"));
    EnvVar threads = quantizer.getEnv().get(0);
    assertEquals("HAQ_QUANTIZER_THREADS", threads.getName());
    assertEquals("requests.cpu", threads.getValueFrom().getResourceFieldRef().getResource());
    Quantity volume =
        byName(PersistentVolumeClaim.class)
            .get("quantizer")
            .getSpec()
            .getResources()
            .getRequests()
            .get("storage");
    long images = Long.parseLong(settings("quantizer").get("HAQ_QUANTIZER_IMAGE_BYTES"));
    assertTrue(2 * images < Quantity.getAmountInBytes(volume).longValueExact());
  }

  @Test
  void theQuantizersHeapAndTmpHoldTwoEvaluationsOfTheLargestModelItTakes() {
    Deployment quantizer = byName(Deployment.class).get("quantizer");
    String model = settings("quantizer").get("HAQ_QUANTIZER_MAX_MODEL_BYTES");
    assertEquals(model, settings("gateway").get("HAQ_GATEWAY_MAX_MODEL_BYTES"));
    DeployFiles.checkLargestModel(
        Long.parseLong(model),
        bytes(container(quantizer).getResources().getLimits().get("memory")) / 2,
        bytes(tmp(quantizer)));
  }

  private static long bytes(Quantity quantity) {
    return Quantity.getAmountInBytes(quantity).longValueExact();
  }

  private static Quantity tmp(Deployment deployment) {
    return deployment.getSpec().getTemplate().getSpec().getVolumes().stream()
        .filter(volume -> volume.getName().equals("tmp"))
        .findFirst()
        .orElseThrow()
        .getEmptyDir()
        .getSizeLimit();
  }

  @Test
  void theGatewaysHeapHoldsTheLargestRequestsAndAnswerItTakes() {
    Quantity memory =
        container(byName(Deployment.class).get("gateway")).getResources().getLimits().get("memory");
    long heap = Quantity.getAmountInBytes(memory).longValueExact() / 2;
    long json = Long.parseLong(settings("gateway").get("HAQ_GATEWAY_MAX_JSON_BYTES"));
    long parsed = 58 * json; // one at a time
    long held = 8 * json;
    long printed = 4 * (32L << 20);
    long rest = 96L << 20;
    assertTrue(parsed + held + printed + rest <= heap, "of a heap of " + heap);
  }

  @Test
  void everyAddressIsThatOfAServiceAndItsPort() {
    Map<String, Service> services = byName(Service.class);
    for (String caller : DeployFiles.PORTS.keySet()) {
      settings(caller)
          .forEach(
              (variable, value) -> {
                if (variable.endsWith("_TARGET")) {
                  String[] address = value.replace("dns:///", "").split(":", 2);
                  Service service = services.get(address[0]);
                  assertTrue(service != null, value);
                  assertEquals(
                      Integer.parseInt(address[1]), service.getSpec().getPorts().get(0).getPort());
                  assertEquals(
                      value.startsWith("dns:///"),
                      "None".equals(service.getSpec().getClusterIP()),
                      value);
                }
              });
    }
  }
}
