package dev.haq.quantizer.grpc;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** Client-streaming calls as a client makes them: a header, then the bytes in two chunks. */
public final class Uploads {
  private Uploads() {}

  /** The answer, or the failure, of one upload. */
  public static <Q, R> CompletableFuture<R> send(
      Function<StreamObserver<R>, StreamObserver<Q>> call,
      Q header,
      Function<ByteString, Q> part,
      byte[] bytes) {
    return send(call, messages(header, part, bytes));
  }

  /** A header and the bytes in two chunks. */
  static <Q> List<Q> messages(Q header, Function<ByteString, Q> part, byte[] bytes) {
    int half = bytes.length / 2;
    return List.of(
        header,
        part.apply(ByteString.copyFrom(bytes, 0, half)),
        part.apply(ByteString.copyFrom(bytes, half, bytes.length - half)));
  }

  /** The same of an upload of any messages. */
  static <Q, R> CompletableFuture<R> send(
      Function<StreamObserver<R>, StreamObserver<Q>> call, List<Q> messages) {
    CompletableFuture<R> answer = new CompletableFuture<>();
    StreamObserver<Q> requests =
        call.apply(
            new StreamObserver<>() {
              @Override
              public void onNext(R value) {
                answer.complete(value);
              }

              @Override
              public void onError(Throwable failure) {
                answer.completeExceptionally(failure);
              }

              @Override
              public void onCompleted() {}
            });
    messages.forEach(requests::onNext);
    requests.onCompleted();
    return answer;
  }
}
