package dev.haq.hwsim.grpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Answers by the SHA-256 digest of their request: every answer follows from its request alone.
 * Keeps at most so many bytes, and gives up the least recently used first. Safe for use by many
 * threads.
 */
final class AnswerCache {
  private final long maxBytes;
  private final Counter hits;
  private final Counter misses;
  private final Map<ByteString, Message> answers = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  /**
   * @param maxBytes of answers, as they are on the wire; 0 keeps none
   */
  AnswerCache(long maxBytes, MeterRegistry metrics) {
    this.maxBytes = maxBytes;
    this.hits = counter("hit", metrics);
    this.misses = counter("miss", metrics);
  }

  private static Counter counter(String result, MeterRegistry metrics) {
    return Counter.builder("haq.hwsim.cache")
        .description("Answers looked for by the digest of their request")
        .tag("result", result)
        .register(metrics);
  }

  /** The answer to {@code request}: kept, or computed and then kept. */
  <R extends Message> R get(Message request, Class<R> type, Supplier<R> compute) {
    ByteString key = digest(request);
    synchronized (this) {
      Message known = answers.get(key);
      if (known != null) {
        hits.increment();
        return type.cast(known);
      }
    }
    misses.increment();
    R answer = compute.get();
    keep(key, answer);
    return answer;
  }

  private synchronized void keep(ByteString key, Message answer) {
    long size = answer.getSerializedSize();
    if (size > maxBytes || answers.put(key, answer) != null) {
      return;
    }
    bytes += size;
    Iterator<Message> oldest = answers.values().iterator();
    while (bytes > maxBytes) {
      bytes -= oldest.next().getSerializedSize();
      oldest.remove();
    }
  }

  private static ByteString digest(Message request) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(
          request
              .getDescriptorForType()
              .getFullName()
              .getBytes(java.nio.charset.StandardCharsets.UTF_8));
      digest.update(request.toByteArray());
      return ByteString.copyFrom(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
