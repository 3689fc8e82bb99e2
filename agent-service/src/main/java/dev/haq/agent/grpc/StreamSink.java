package dev.haq.agent.grpc;

import dev.haq.agent.session.Episode;
import dev.haq.agent.session.Preparation;
import dev.haq.agent.session.SessionRecord;
import dev.haq.agent.session.TuningProgress;
import dev.haq.agent.session.WatchSink;
import dev.haq.proto.agent.v1.Session;
import dev.haq.proto.agent.v1.SessionEvent;
import dev.haq.rpc.ResponseStream;
import java.util.Optional;
import java.util.function.Function;

/** A watcher at the other end of a stream of messages. */
final class StreamSink implements WatchSink {
  private final ResponseStream<SessionEvent> out;
  private final Function<String, Optional<Preparation>> preparation;
  private SessionWire wire;

  /**
   * @param preparation how far the session of an id is now
   */
  StreamSink(
      ResponseStream<SessionEvent> out, Function<String, Optional<Preparation>> preparation) {
    this.out = out;
    this.preparation = preparation;
  }

  private Session toProto(SessionRecord session) {
    return wire.session(session, preparation.apply(session.id()));
  }

  @Override
  public void snapshot(SessionRecord session) {
    wire = SessionWire.brief(session);
    out.send(SessionEvent.newBuilder().setSnapshot(toProto(session)).build());
  }

  @Override
  public void episode(Episode episode) {
    out.send(SessionEvent.newBuilder().setEpisode(wire.episode(episode)).build());
  }

  @Override
  public void state(SessionRecord session) {
    out.send(SessionEvent.newBuilder().setState(toProto(session)).build());
  }

  @Override
  public void tuning(TuningProgress progress) {
    out.send(SessionEvent.newBuilder().setTuning(SessionWire.toProto(progress)).build());
  }

  @Override
  public boolean isFull() {
    return out.isFull();
  }

  @Override
  public void onDrain(Runnable listener) {
    out.onDrain(listener);
  }

  @Override
  public void onCancel(Runnable listener) {
    out.onCancel(listener);
  }

  @Override
  public void end() {
    out.end();
  }

  @Override
  public void fail(RuntimeException failure) {
    out.fail(failure);
  }
}
