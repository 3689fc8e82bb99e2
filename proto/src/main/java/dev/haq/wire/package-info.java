/**
 * Messages to values and back, a file per message family with both directions side by side. A
 * message that does not make a valid value is refused with an error that names the field.
 */
package dev.haq.wire;
