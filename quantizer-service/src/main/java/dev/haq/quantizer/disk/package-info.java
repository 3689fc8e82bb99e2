/**
 * What errors of the disk mean to whoever asked, and clearing away what was left on it half made or
 * kept because of something that was deleted.
 */
package dev.haq.quantizer.disk;
