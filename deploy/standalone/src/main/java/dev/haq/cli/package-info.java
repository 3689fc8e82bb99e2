/**
 * The {@code haq} command: a client of the gateway, over HTTP and Server-Sent Events alone. It owns
 * what people type and read: options, tables, files written, exit status; the only package that
 * writes to standard output.
 */
package dev.haq.cli;
