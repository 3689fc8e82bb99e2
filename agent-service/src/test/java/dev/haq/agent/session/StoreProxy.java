package dev.haq.agent.session;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/** A store some of whose calls a test takes part in. */
final class StoreProxy {
  private StoreProxy() {}

  /** A call of the store behind. */
  interface Call {
    Object make() throws Throwable;
  }

  /** Makes a call, or does not, and answers it. */
  interface Interceptor {
    Object answer(String method, Call call) throws Throwable;
  }

  static SessionStore of(SessionStore behind, Interceptor interceptor) {
    return (SessionStore)
        Proxy.newProxyInstance(
            SessionStore.class.getClassLoader(),
            new Class<?>[] {SessionStore.class},
            (proxy, method, arguments) ->
                interceptor.answer(method.getName(), () -> call(behind, method, arguments)));
  }

  private static Object call(SessionStore behind, Method method, Object[] arguments)
      throws Throwable {
    try {
      return method.invoke(behind, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
