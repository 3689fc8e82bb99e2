package dev.haq.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.ByteString;
import dev.haq.model.HaqException;
import dev.haq.model.Reason;
import dev.haq.proto.quantizer.v1.DownloadModelRequest;
import dev.haq.proto.quantizer.v1.DownloadModelResponse;
import dev.haq.proto.quantizer.v1.GetModelRequest;
import dev.haq.proto.quantizer.v1.Model;
import dev.haq.proto.quantizer.v1.QuantizerGrpc;
import dev.haq.proto.quantizer.v1.QuantizerGrpcService;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A real server that sends long answers to clients that read as they like. */
@Timeout(60)
final class DeliveryTest {
  private static final int PIECE_BYTES = 64 * 1024;
  private static final int PIECES = 400;
  private static final Duration LONG = Duration.ofMinutes(10);

  private final ServiceRuntime runtime = ServiceRuntime.create();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final BlockingQueue<Pieces> sources = new LinkedBlockingQueue<>();
  private RpcServer server;

  /** Numbered pieces, of which one may be missing. */
  private static final class Pieces implements MessageSource<DownloadModelResponse> {
    final AtomicInteger made = new AtomicInteger();
    final CountDownLatch closed = new CountDownLatch(1);
    private final int failing;

    Pieces(int failing) {
      this.failing = failing;
    }

    @Override
    public Optional<DownloadModelResponse> next() {
      assertEquals(1, closed.getCount(), "a closed source is not asked");
      int piece = made.getAndIncrement();
      if (piece == failing) {
        throw new HaqException(Reason.INTERNAL, "the disk is gone");
      }
      return piece == PIECES
          ? Optional.empty()
          : Optional.of(
              DownloadModelResponse.newBuilder()
                  .setSizeBytes(piece)
                  .setChunk(ByteString.copyFrom(new byte[PIECE_BYTES]))
                  .build());
    }

    @Override
    public void close() {
      closed.countDown();
    }
  }

  /** One call that reads what is asked for alone. */
  private static final class Reader extends ClientCall.Listener<DownloadModelResponse> {
    final BlockingQueue<Long> pieces = new LinkedBlockingQueue<>();
    final CompletableFuture<Status> end = new CompletableFuture<>();
    final ClientCall<DownloadModelRequest, DownloadModelResponse> call;

    Reader(ManagedChannel channel) {
      call = channel.newCall(QuantizerGrpc.getDownloadModelMethod(), CallOptions.DEFAULT);
      call.start(this, new Metadata());
      call.sendMessage(DownloadModelRequest.getDefaultInstance());
      call.halfClose();
    }

    @Override
    public void onMessage(DownloadModelResponse message) {
      pieces.add(message.getSizeBytes());
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      end.complete(status);
    }
  }

  private void serve(Duration patience, int failing) {
    server =
        RpcServer.builder(runtime, "test")
            .host("127.0.0.1")
            .service(
                RpcService.named(
                        QuantizerGrpcService.SERVICE_NAME, QuantizerGrpcService.SERVICE_DESCRIPTOR)
                    .serverStream(
                        QuantizerGrpcService.DownloadModel,
                        (request, out) -> {
                          Pieces source = new Pieces(failing);
                          sources.add(source);
                          out.sendAll(source, patience);
                        })
                    .unary(
                        QuantizerGrpcService.GetModel,
                        (request, call) -> Model.newBuilder().setId(request.getId()).build()))
            .start();
  }

  private ManagedChannel channel() {
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    channels.add(channel);
    return channel;
  }

  /** Takes one piece at a time and tells so, where others do at half a megabyte. */
  private ManagedChannel narrowChannel() {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port())
            .usePlaintext()
            .flowControlWindow(PIECE_BYTES)
            .build();
    channels.add(channel);
    return channel;
  }

  @AfterEach
  void stop() {
    channels.forEach(ManagedChannel::shutdownNow);
    server.close();
    runtime.close();
  }

  @Test
  void allOfItArrivesInOrderWhenItIsReadPieceByPiece() throws Exception {
    serve(LONG, -1);
    Reader reader = new Reader(channel());
    for (long piece = 0; piece < PIECES; piece++) {
      reader.call.request(1);
      assertEquals(piece, reader.pieces.take());
    }
    reader.call.request(1);
    assertEquals(Status.Code.OK, reader.end.get().getCode());
    sources.take().closed.await();
  }

  @Test
  void aReceiverThatTakesNothingForLongIsEnded() throws Exception {
    serve(Duration.ofMillis(600), -1);
    Reader reader = new Reader(channel());
    Pieces source = sources.take();
    source.closed.await();
    assertTrue(source.made.get() < PIECES / 4, source.made + " pieces are held for it");
    reader.call.request(PIECES);
    assertEquals(Status.Code.CANCELLED, reader.end.get().getCode());
  }

  @Test
  void aReceiverThatIsSlowIsNotEnded() throws Exception {
    Duration patience = Duration.ofMillis(1200);
    serve(patience, -1);
    Reader reader = new Reader(narrowChannel());
    long longest = 0;
    long last = System.nanoTime();
    for (int read = 0; read < 30; read++) {
      Thread.sleep(patience.toMillis() / 8);
      reader.call.request(1);
      longest = Math.max(longest, System.nanoTime() - last);
      last = System.nanoTime();
    }
    reader.call.request(PIECES);
    Status end = reader.end.get();
    longest = Math.max(longest, System.nanoTime() - last);
    assumeTrue(longest < patience.toNanos() / 2, "this machine was slower than the receiver");
    assertEquals(Status.Code.OK, end.getCode());
    assertEquals(PIECES, reader.pieces.size());
  }

  @Test
  void theSourceIsOpenUntilAllIsTaken() throws Exception {
    serve(LONG, -1);
    Reader reader = new Reader(narrowChannel());
    Pieces source = sources.take();
    readUntilAllIsMade(reader, source);
    assertEquals(1, source.closed.getCount());
    reader.call.request(PIECES);
    assertEquals(Status.Code.OK, reader.end.get().getCode());
    source.closed.await();
  }

  @Test
  void aReceiverThatDoesNotTakeTheLastIsEnded() throws Exception {
    serve(Duration.ofMillis(1200), -1);
    Reader reader = new Reader(narrowChannel());
    Pieces source = sources.take();
    readUntilAllIsMade(reader, source);
    source.closed.await();
    reader.call.request(PIECES);
    assertEquals(Status.Code.CANCELLED, reader.end.get().getCode());
  }

  /** Some of it is on its way then, and some waits for the reader. */
  private static void readUntilAllIsMade(Reader reader, Pieces source) throws Exception {
    int read = 0;
    while (source.made.get() <= PIECES) {
      reader.call.request(1);
      reader.pieces.take();
      read++;
    }
    assumeTrue(PIECES - read > 3, "the reader was faster than the server's event loop");
  }

  @Test
  void moreReceiversThanThereAreThreadsMayTakeNothingAndOthersAreServed() throws Exception {
    serve(LONG, -1);
    List<Pieces> held = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      new Reader(channel());
      held.add(sources.take());
    }
    Model answer =
        QuantizerGrpc.newBlockingStub(channel())
            .withDeadlineAfter(20, TimeUnit.SECONDS)
            .getModel(GetModelRequest.newBuilder().setId("asked").build());
    assertEquals("asked", answer.getId());
    for (Pieces source : held) {
      assertTrue(source.made.get() < PIECES / 4, source.made + " pieces are held for it");
    }
  }

  @Test
  void aReceiverThatLeavesClosesTheSource() throws Exception {
    serve(LONG, -1);
    Reader reader = new Reader(channel());
    reader.call.request(1);
    reader.pieces.take();
    reader.call.cancel("it has seen enough", null);
    sources.take().closed.await();
  }

  @Test
  void aFaultOfTheSourceArrivesAfterWhatCameBeforeIt() throws Exception {
    serve(LONG, 20);
    Reader reader = new Reader(channel());
    reader.call.request(PIECES);
    assertEquals(Status.Code.INTERNAL, reader.end.get().getCode());
    assertEquals(20, reader.pieces.size());
    sources.take().closed.await();
  }
}
