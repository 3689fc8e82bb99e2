package dev.haq.cli;

import dev.haq.model.FullDisk;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Why a file cannot be read or written: the message of many of Java's errors is its name alone. */
final class FileFault {
  private FileFault() {}

  static String why(IOException e) {
    if (FullDisk.caused(e)) {
      return "the disk is full";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NoSuchFileException) {
      return "there is no such file";
    }
    if (e instanceof NotDirectoryException) {
      return "it is not a folder";
    }
    String text = e instanceof FileSystemException file ? file.getReason() : e.getMessage();
    return text == null || text.isBlank() ? e.getClass().getSimpleName() : text;
  }
}
