/**
 * From a file that somebody sent to a network: what it must be to be taken, what reading and
 * running it may come to, where its quantizable layers are, and the normal form (constants
 * resolved, batch-norm folded) that it is rewritten in.
 */
package dev.haq.quantizer.importing;
