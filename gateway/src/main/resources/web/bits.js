// Bits per layer of the newest and the best policy, as a table whose cells are coloured by width.

import { element } from "./text.js";

const head = document.querySelector("#bits thead");
const body = document.querySelector("#bits tbody");
const legend = document.querySelector("#bits-legend");

/** Shows both policies; either may be absent. */
export function showBits(best, newest) {
  const layers = (best ?? newest)?.policy?.layers ?? [];
  head.replaceChildren();
  body.replaceChildren();
  legend.textContent = layers.length === 0 ? "No policy yet." : "Columns are layers in execution order; hover over one for its name.";
  if (layers.length === 0) {
    return;
  }
  head.append(
    element(
      "tr",
      {},
      element("th", { scope: "col" }, "Layer"),
      ...layers.map((layer, i) =>
        element(
          "th",
          { scope: "col", title: layer.name },
          element("span", { "aria-hidden": "true" }, String(i + 1)),
          element("span", { className: "hidden-text" }, layer.name),
        ),
      ),
    ),
  );
  append("Best", best, "");
  append("Newest", newest, "gap");
}

function append(name, episode, className) {
  if (!episode) {
    return;
  }
  const title = `${name} (episode ${episode.number})`;
  const layers = episode.policy?.layers ?? [];
  body.append(
    row(`${title}: weights`, layers, "weight_bits", className),
    row(`${title}: activations`, layers, "activation_bits", ""),
  );
}

function row(title, layers, field, className) {
  return element(
    "tr",
    { className },
    element("th", { scope: "row" }, title),
    ...layers.map((layer) => {
      const bits = layer[field];
      return element(
        "td",
        { className: bits > 0 && bits <= 8 ? `b${bits}` : "bmore", title: `${layer.name}: ${bits ?? "float"}` },
        bits === undefined ? "fp" : String(bits),
      );
    }),
  );
}
