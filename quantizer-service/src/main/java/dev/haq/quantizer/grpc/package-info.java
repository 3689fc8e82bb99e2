/**
 * The gRPC edge of the quantizer: decode, call, encode. Uploads are taken chunk by chunk and leave
 * nothing behind when they are refused.
 */
package dev.haq.quantizer.grpc;
