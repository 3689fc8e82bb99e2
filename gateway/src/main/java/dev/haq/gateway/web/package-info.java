/**
 * The live page and what it loads, served from the class path. The page itself is under {@code
 * resources/web}: plain HTML, CSS and ES modules, without a build step.
 */
package dev.haq.gateway.web;
