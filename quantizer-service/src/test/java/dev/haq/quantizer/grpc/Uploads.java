package dev.haq.quantizer.grpc;

import com.google.protobuf.ByteString;
import io.grpc.stub.StreamObserver;
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
    requests.onNext(header);
    int half = bytes.length / 2;
    requests.onNext(part.apply(ByteString.copyFrom(bytes, 0, half)));
    requests.onNext(part.apply(ByteString.copyFrom(bytes, half, bytes.length - half)));
    requests.onCompleted();
    return answer;
  }
}
