package dev.haq.rpc;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.spi.ContextAwareBase;

/**
 * How a service logs where nothing else says so: to standard error, from INFO on, or from the level
 * that the environment variable {@code HAQ_LOG_LEVEL} names. A {@code logback.xml} on the class
 * path or {@code -Dlogback.configurationFile} takes its place. Logback finds this class by itself.
 */
public final class ServiceLogging extends ContextAwareBase implements Configurator {
  private static final String PATTERN = "%d{ISO8601} %-5level %logger{0} - %msg%n";

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    ClassLoader resources = ServiceLogging.class.getClassLoader();
    if (System.getProperty("logback.configurationFile") != null
        || resources.getResource("logback-test.xml") != null
        || resources.getResource("logback.xml") != null) {
      return ExecutionStatus.INVOKE_NEXT_IF_ANY;
    }
    PatternLayoutEncoder encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern(PATTERN);
    encoder.start();
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setContext(context);
    console.setTarget("System.err");
    console.setEncoder(encoder);
    console.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.toLevel(System.getenv("HAQ_LOG_LEVEL"), Level.INFO));
    root.addAppender(console);
    // Warns that services in one process share a gauge, which is meant.
    context.getLogger("io.micrometer").setLevel(Level.ERROR);
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }
}
