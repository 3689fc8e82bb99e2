// The reward curve: a point for each episode, a line for the best so far.

import uPlot from "/lib/uplot.js";
import { number } from "./text.js";

const HEIGHT = 280;

export class RewardChart {
  #host;
  #plot;
  // Episode number, reward of warm-up episodes, reward of the others, best reward so far.
  #data = [[], [], [], []];
  #drawing = false;

  constructor(host) {
    this.#host = host;
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#rebuild());
  }

  clear() {
    this.#data = [[], [], [], []];
    this.#rebuild();
  }

  add(episode) {
    this.#data[0].push(episode.number);
    this.#data[1].push(episode.warmup ? episode.reward : null);
    this.#data[2].push(episode.warmup ? null : episode.reward);
    this.#data[3].push(episode.best_reward);
    if (!this.#drawing) {
      this.#drawing = true;
      requestAnimationFrame(() => {
        this.#drawing = false;
        this.#plot?.setData(this.#data);
        this.#describe();
      });
    }
  }

  #size() {
    return { width: Math.max(this.#host.clientWidth, 200), height: HEIGHT };
  }

  #describe() {
    const last = this.#data[0].length - 1;
    const label =
      last < 0
        ? "Reward curve: no episode yet"
        : `Reward curve of ${last + 1} episodes: newest ${number(this.#data[1][last] ?? this.#data[2][last], 4)}, ` +
          `best ${number(this.#data[3][last], 4)}. The table below holds the same figures.`;
    this.#host.querySelector("canvas")?.setAttribute("aria-label", label);
  }

  #rebuild() {
    this.#plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 } };
    const points = (label, name) => ({
      label,
      stroke: colour(name),
      paths: () => null,
      points: { show: true, size: 5, fill: colour(name), stroke: colour(name) },
      value: (plot, value) => number(value, 4),
    });
    this.#plot = new uPlot(
      {
        ...this.#size(),
        scales: { x: { time: false, range: (plot, min, max) => [0, Math.max(max ?? 0, 10)] } },
        axes: [
          { ...axis, label: "episode", labelSize: 20, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] },
          { ...axis, label: "reward", labelSize: 20, size: 60 },
        ],
        series: [
          { label: "episode" },
          points("warm-up", "--series-warmup"),
          points("search", "--series-search"),
          {
            label: "best so far",
            stroke: colour("--series-best"),
            width: 2,
            // A best value holds until the episode that betters it.
            paths: uPlot.paths.stepped({ align: 1 }),
            points: { show: false },
            value: (plot, value) => number(value, 4),
          },
        ],
      },
      this.#data,
      this.#host,
    );
    this.#host.querySelector("canvas").setAttribute("role", "img");
    this.#describe();
  }
}
