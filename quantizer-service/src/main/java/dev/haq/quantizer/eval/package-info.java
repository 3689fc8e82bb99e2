/**
 * The accuracy of a network under a policy: calibration, the quantized session, running it over the
 * images, and the caches that keep an episode from doing again what does not depend on its policy.
 */
package dev.haq.quantizer.eval;
