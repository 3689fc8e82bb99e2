package dev.haq.hwsim.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.haq.proto.hwsim.v1.GetTargetRequest;
import dev.haq.proto.hwsim.v1.Target;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class AnswerCacheTest {
  private final AtomicInteger computed = new AtomicInteger();
  private final AnswerCache cache = new AnswerCache(1000, new SimpleMeterRegistry());

  private Target ask(String name) {
    return cache.get(
        GetTargetRequest.newBuilder().setName(name).build(),
        Target.class,
        () -> {
          computed.incrementAndGet();
          return Target.newBuilder().setName(name).setDescription("x".repeat(290)).build();
        });
  }

  @Test
  void anAnswerIsComputedOnceWhileItIsKept() {
    assertEquals(ask("a"), ask("a"));
    assertEquals(1, computed.get());
  }

  @Test
  void theLeastRecentlyUsedIsGivenUpWhenTheBytesRunOut() {
    ask("a");
    ask("b");
    ask("c");
    ask("a");
    ask("d"); // no room for four: b goes
    assertEquals(4, computed.get());
    ask("a");
    ask("c");
    ask("d");
    assertEquals(4, computed.get());
    ask("b");
    assertEquals(5, computed.get());
  }
}
