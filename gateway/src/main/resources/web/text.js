// How values read. User text becomes text nodes only, never markup.

/** An element with properties, attributes (names with a dash, or role) and children; strings become text. */
export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-") || key === "role" || key === "scope" || key === "colspan") {
      node.setAttribute(key, value);
    } else {
      node[key] = value;
    }
  }
  node.append(...children);
  return node;
}

export const FINAL = new Set(["SUCCEEDED", "STOPPED", "CANCELLED", "FAILED"]);

const UNITS = {
  LATENCY: { name: "latency", scale: 1e3, unit: "ms", reference: "8-bit" },
  ENERGY: { name: "energy", scale: 1e3, unit: "mJ", reference: "8-bit" },
  MODEL_SIZE: { name: "model size", scale: 1 / 1024, unit: "KiB", reference: "float" },
};

export function budget(spec) {
  const limit = spec.budget ?? {};
  const resource = UNITS[limit.resource];
  if (!resource) {
    return "none";
  }
  return limit.absolute !== undefined
    ? `${resource.name} ≤ ${amount(limit.absolute, limit.resource)}`
    : `${resource.name} ≤ ${number(limit.ratio, 4)} of ${resource.reference}`;
}

/** An amount of a resource, given in its SI unit. */
export function amount(value, resource) {
  const { scale, unit } = UNITS[resource] ?? { scale: 1, unit: "" };
  const scaled = value * scale;
  return `${scaled < 1000 ? scaled.toPrecision(4) : scaled.toFixed(0)} ${unit}`;
}

export function costOf(cost, resource) {
  return { LATENCY: cost?.latency_seconds, ENERGY: cost?.energy_joules, MODEL_SIZE: cost?.model_size_bytes }[resource];
}

export function target(spec) {
  const { name, lookup_table: table, accelerator } = spec.target ?? {};
  return name ?? (table ? `${table.name} (own table)` : accelerator === undefined ? "" : "described accelerator");
}

/** Ids of models and sessions are long; people tell them apart by their start. */
export function short(id) {
  const rest = id.replace(/^sha256:/, "");
  return rest.length > 14 ? `${rest.slice(0, 12)}…` : id;
}

export function number(value, digits) {
  return value === undefined || value === null ? "–" : Number(value).toFixed(digits);
}

export function percent(value) {
  return value === undefined || value === null ? "–" : `${Number(value).toFixed(2)} %`;
}

export function duration(seconds) {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes >= 60) {
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
