/**
 * A network as data, what is made of ONNX's messages by all who read or write them, and the
 * sessions of ONNX Runtime it is run in.
 */
package dev.haq.quantizer.onnx;
