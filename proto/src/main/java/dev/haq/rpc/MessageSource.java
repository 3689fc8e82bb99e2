package dev.haq.rpc;

import java.util.Optional;

/**
 * Messages that are made while they are sent. Its methods are called one at a time, on worker
 * threads, so they may block on a disk.
 */
public interface MessageSource<R> extends AutoCloseable {
  /** The next message; empty when there is none left. */
  Optional<R> next();

  /** Lets go of what the messages are made of; called once, whatever the end. */
  @Override
  void close();
}
