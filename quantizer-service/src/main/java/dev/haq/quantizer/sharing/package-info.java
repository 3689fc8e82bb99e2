/**
 * What callers on many threads share: things that are made once and kept up to a bound, and places
 * of which there are few.
 */
package dev.haq.quantizer.sharing;
