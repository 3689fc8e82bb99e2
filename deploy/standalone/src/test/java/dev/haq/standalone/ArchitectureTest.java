package dev.haq.standalone;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.Map;

/** Who may import whom: the walls between the packages of all modules. */
@AnalyzeClasses(packages = "dev.haq", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String[] PURE = {
    "dev.haq.model..",
    "dev.haq.hwsim.cost..",
    "dev.haq.quantizer.quant..",
    "dev.haq.agent.search..",
    "dev.haq.agent.ddpg..",
    "dev.haq.agent.agents..",
    "dev.haq.agent.losses.."
  };

  /** Reaching out of the process, by whatever part of the JDK. */
  private static final DescribedPredicate<JavaClass> IO =
      resideInAnyPackage("java.nio.file..", "java.nio.channels..", "java.net..", "java.sql..")
          .or(
              describe(
                  "files",
                  type ->
                      type.getPackageName().equals("java.io")
                          && (type.getSimpleName().startsWith("File")
                              || type.getSimpleName().equals("RandomAccessFile"))))
          .as("files, network or databases");

  @ArchTest
  static final ArchRule theModelImportsTheJdkAlone =
      classes()
          .that()
          .resideInAPackage("dev.haq.model..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage("java..", "dev.haq.model..");

  @ArchTest
  static final ArchRule theWireImportsTheModelAndGeneratedCode =
      classes()
          .that()
          .resideInAPackage("dev.haq.wire..")
          .should()
          .onlyDependOnClassesThat()
          .resideInAnyPackage(
              "java..",
              "dev.haq.model..",
              "dev.haq.wire..",
              "dev.haq.proto..",
              "com.google.protobuf..",
              "com.google.common.primitives..",
              // The preprocessing file, which users write in YAML or JSON.
              "com.fasterxml.jackson..",
              // Tables, which users write and get in CSV.
              "org.apache.commons.csv..");

  @ArchTest
  static final ArchRule callingKnowsNothingOfQuantization =
      noClasses()
          .that()
          .resideInAPackage("dev.haq.rpc..")
          .should()
          .dependOnClassesThat(
              resideInAnyPackage(
                      "dev.haq.hwsim..",
                      "dev.haq.quantizer..",
                      "dev.haq.agent..",
                      "dev.haq.gateway..",
                      "dev.haq.wire..",
                      "dev.haq.proto..")
                  .or(
                      describe(
                          "values of the model other than its errors",
                          type ->
                              type.getPackageName().startsWith("dev.haq.model")
                                  && !type.getName().startsWith("dev.haq.model.HaqException")
                                  && !type.getName().startsWith("dev.haq.model.Reason"))));

  @ArchTest
  static final ArchRule purePackagesImportTheModelTheJdkAndNd4j =
      classes()
          .that()
          .resideInAnyPackage(PURE)
          .should()
          .onlyDependOnClassesThat(
              // org.bytedeco is ND4J's own: its buffers and its matrix product.
              resideInAnyPackage(PURE)
                  .or(resideInAnyPackage("java..", "org.nd4j..", "org.bytedeco..")));

  @ArchTest
  static final ArchRule purePackagesDoNoIo =
      noClasses()
          .that()
          .resideInAnyPackage(PURE)
          // Asks the system for the processor, to choose the native library that fits it.
          .and()
          .doNotHaveSimpleName("Nd4jBackend")
          .should()
          .dependOnClassesThat(IO);

  @ArchTest
  static void aServiceNeverImportsAnotherService(JavaClasses all) {
    List<String> services = List.of("hwsim", "quantizer", "agent", "gateway");
    for (String service : services) {
      String[] others =
          services.stream()
              .filter(other -> !other.equals(service))
              .map(other -> "dev.haq." + other + "..")
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage("dev.haq." + service + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(others)
          .check(all);
    }
  }

  @ArchTest
  static void packagesOfModelsUseThoseBelowThem(JavaClasses all) {
    Map<String, List<String>> below =
        Map.of(
            "onnx", List.of("quant", "disk"),
            "graphs", List.of("onnx", "quant"),
            "importing", List.of("onnx", "disk", "sharing"),
            "models", List.of("importing", "onnx", "builtin", "disk", "sharing"));
    below.forEach(
        (room, others) -> {
          String own = "dev.haq.quantizer." + room + "..";
          String[] used =
              others.stream()
                  .map(other -> "dev.haq.quantizer." + other + "..")
                  .toArray(String[]::new);
          classes()
              .that()
              .resideInAPackage(own)
              .should()
              .onlyDependOnClassesThat(
                  resideInAPackage(own)
                      .or(resideInAnyPackage(used))
                      .or(resideOutsideOfPackage("dev.haq.quantizer..")))
              .check(all);
        });
  }

  @ArchTest
  static final ArchRule modelsAreImportedByTheirStoreAlone =
      noClasses()
          .that()
          .resideOutsideOfPackages("dev.haq.quantizer.importing..", "dev.haq.quantizer.models..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.haq.quantizer.importing..");

  @ArchTest
  static final ArchRule packagesOfTheQuantizerAreFreeOfCycles =
      slices().matching("dev.haq.quantizer.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule servicesDoNotKnowTheirStarter =
      noClasses()
          .that()
          .resideInAnyPackage(
              "dev.haq.model..",
              "dev.haq.wire..",
              "dev.haq.rpc..",
              "dev.haq.hwsim..",
              "dev.haq.quantizer..",
              "dev.haq.agent..",
              "dev.haq.gateway..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.haq.standalone..", "dev.haq.cli..");

  @ArchTest
  static final ArchRule theStandaloneOnlyStartsServices =
      noClasses()
          .that()
          .resideInAPackage("dev.haq.standalone..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.haq.hwsim.(**)",
              "dev.haq.quantizer.(**)",
              "dev.haq.agent.(**)",
              "dev.haq.gateway.(**)");

  @ArchTest
  static final ArchRule theCommandIsAClientLikeAnyOther =
      noClasses()
          .that()
          .resideInAPackage("dev.haq.cli..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.haq.hwsim..",
              "dev.haq.quantizer..",
              "dev.haq.agent..",
              "dev.haq.gateway..",
              "dev.haq.rpc..",
              "io.vertx..",
              "io.grpc..");

  @ArchTest
  static final ArchRule onnxRuntimeStaysWhereModelsRun =
      noClasses()
          .that(
              resideInAPackage("dev.haq..")
                  .and(
                      DescribedPredicate.not(
                          resideInAnyPackage(
                              "dev.haq.quantizer.onnx..",
                              "dev.haq.quantizer.importing..",
                              "dev.haq.quantizer.graphs..",
                              "dev.haq.quantizer.eval..",
                              // The trainer runs what it has written.
                              "dev.haq.quantizer.train.."))))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.onnxruntime..");

  @ArchTest
  static final ArchRule djlStaysWhereNetworksAreTrained =
      noClasses()
          .that(
              resideInAPackage("dev.haq..")
                  .and(DescribedPredicate.not(resideInAPackage("dev.haq.quantizer.train.."))))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl..");

  @ArchTest
  static final ArchRule nd4jStaysInTheLearningAgent =
      noClasses()
          .that(
              resideInAPackage("dev.haq..")
                  .and(DescribedPredicate.not(resideInAPackage("dev.haq.agent.ddpg.."))))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.nd4j..");

  @ArchTest
  static final ArchRule policiesOfLeastLossKnowNoAgent =
      noClasses()
          .that()
          .resideInAPackage("dev.haq.agent.losses..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.haq.agent.agents..", "dev.haq.agent.ddpg..", "dev.haq.agent.session..");

  @ArchTest
  static final ArchRule sessionsDoNotKnowWhoComparesThem =
      noClasses()
          .that()
          .resideInAnyPackage("dev.haq.agent.session..", "dev.haq.agent.store..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.haq.agent.comparison..");

  @ArchTest
  static final ArchRule onlyTheCommandWritesToStandardStreams =
      noClasses()
          .that(
              resideInAPackage("dev.haq..")
                  .and(DescribedPredicate.not(resideInAPackage("dev.haq.cli.."))))
          .should(ACCESS_STANDARD_STREAMS);
}
