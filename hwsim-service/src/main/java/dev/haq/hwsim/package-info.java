/**
 * The hardware simulator as a running service: its settings, and how it is started and stopped. It
 * keeps no state, so that any replica answers any call.
 */
package dev.haq.hwsim;
