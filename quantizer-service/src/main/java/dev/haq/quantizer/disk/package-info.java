/**
 * What errors of the disk mean to whoever asked, and clearing away what was left on it half made.
 */
package dev.haq.quantizer.disk;
