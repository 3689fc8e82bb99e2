package dev.haq.cli;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/**
 * Runs something at Ctrl-C instead of ending the process. The JDK has no supported interface to
 * signals; {@code sun.misc.Signal} of module jdk.unsupported is reached by reflection, and where it
 * is missing Ctrl-C simply ends the process.
 */
final class Interrupt {
  private Interrupt() {}

  /** The second Ctrl-C ends the process, whatever the first one's action does. */
  static void onFirst(Runnable action) {
    boolean[] seen = new boolean[1];
    InvocationHandler handler =
        (proxy, method, args) -> {
          switch (method.getName()) {
            case "handle" -> {
              if (seen[0]) {
                Runtime.getRuntime().halt(130);
              }
              seen[0] = true;
              Thread thread = new Thread(action, "haq-interrupt");
              thread.setDaemon(true);
              thread.start();
              return null;
            }
            case "hashCode" -> {
              return System.identityHashCode(proxy);
            }
            case "equals" -> {
              return proxy == args[0];
            }
            default -> {
              return "interrupt handler";
            }
          }
        };
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> signalHandler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              Interrupt.class.getClassLoader(), new Class<?>[] {signalHandler}, handler);
      signal
          .getMethod("handle", signal, signalHandler)
          .invoke(null, signal.getConstructor(String.class).newInstance("INT"), proxy);
    } catch (ReflectiveOperationException e) {
      org.slf4j.LoggerFactory.getLogger(Interrupt.class)
          .debug("Ctrl-C cannot be caught on this platform", e);
    }
  }
}
