/** What errors of the disk mean to whoever asked. */
package dev.haq.quantizer.disk;
