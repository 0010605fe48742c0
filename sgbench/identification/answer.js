"use strict";
// The plot of each pattern: a curve to zoom into, and rows of marks below it. Text enters the page as
// text: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 320;
const ROW = 22;
const LEFT = 88;
const RIGHT = 12;
const TOP = 10;
const SCALES = {
  linear: (y) => y,
  sqrt: (y) => Math.sign(y) * Math.sqrt(Math.abs(y)),
  log: (y, least) => Math.log10(Math.max(y, least)),
};

function s(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    found.push(i * step);
  return { found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

// The first index whose angle is not below a value.
function from(angles, value) {
  let [low, high] = [0, angles.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (angles[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// A curve as a path: of each column of pixels the first, the lowest, the highest and the last point.
function path([xs, ys], [low, high], px, py) {
  const first = Math.max(0, from(xs, low) - 1);
  const last = Math.min(xs.length - 1, from(xs, high));
  const parts = [];
  let i = first;
  while (i <= last) {
    const column = Math.floor(px(xs[i]));
    let [least, most, end] = [i, i, i];
    for (let j = i; j <= last && Math.floor(px(xs[j])) === column; j++) {
      if (ys[j] < ys[least]) least = j;
      if (ys[j] > ys[most]) most = j;
      end = j;
    }
    for (const k of [...new Set([i, least, most, end])].sort((a, b) => a - b))
      parts.push(`${parts.length ? "L" : "M"}${px(xs[k]).toFixed(1)} ${py(ys[k]).toFixed(1)}`);
    i = end + 1;
  }
  return parts.join("");
}

function begin(figure) {
  const data = JSON.parse(document.getElementById(figure.dataset.plot).textContent);
  const chart = figure.querySelector(".chart");
  const read = figure.querySelector(".read");
  const choice = figure.querySelector("select");
  const [xs, ys] = data.curves.measured;
  const whole = [xs[0], xs[xs.length - 1]];
  const rows = [{ name: "found", peaks: data.peaks }, ...data.marks];
  // A few intensities of a noisy background are no depth of a logarithmic axis.
  const positive = ys.filter((y) => y > 0).sort((a, b) => a - b);
  const least = positive.length ? positive[Math.floor(positive.length / 20)] : 1e-9;
  let range = whole;
  let pull = null;

  const width = () => Math.max(280, chart.clientWidth);
  const px = (x) => LEFT + ((x - range[0]) / (range[1] - range[0])) * (width() - LEFT - RIGHT);
  const angle = (at) =>
    range[0] + ((at - LEFT) / (width() - LEFT - RIGHT)) * (range[1] - range[0]);

  function set(low, high) {
    const span = Math.min(Math.max(high - low, 0.2), whole[1] - whole[0]);
    const start = Math.min(Math.max(low, whole[0]), whole[1] - span);
    range = [start, start + span];
    draw();
  }
  const zoom = (factor, centre = (range[0] + range[1]) / 2) =>
    set(centre - (centre - range[0]) * factor, centre + (range[1] - centre) * factor);
  const move = (share) => {
    const by = share * (range[1] - range[0]);
    set(range[0] + by, range[1] + by);
  };
  const acts = {
    in: () => zoom(0.5),
    out: () => zoom(2),
    left: () => move(-0.4),
    right: () => move(0.4),
    all: () => set(...whole),
  };

  function draw() {
    const total = HEIGHT + ROW * rows.length + 44;
    const svg = s("svg", {
      viewBox: `0 0 ${width()} ${total}`,
      height: total,
      tabindex: 0,
      role: "img",
      "aria-label":
        `Intensity over 2θ from ${range[0].toFixed(2)} to ${range[1].toFixed(2)} degrees, with ` +
        "marks of lines below. Plus and minus zoom, arrows move, 0 shows the whole pattern.",
    });
    const scale = (y) => SCALES[choice.value](y, least);
    const shown = ys.slice(from(xs, range[0]), from(xs, range[1]) + 1).map(scale);
    let low = Infinity;
    let high = -Infinity;
    for (const y of shown) {
      if (y < low) low = y;
      if (y > high) high = y;
    }
    if (!(high > low)) [low, high] = [low - 1, low + 1];
    const py = (y) => TOP + (HEIGHT - TOP) * (1 - (scale(y) - low) / (1.04 * (high - low)));
    const grid = ticks(range[0], range[1], Math.max(4, Math.floor(width() / 90)));
    const foot = HEIGHT + ROW * rows.length;
    for (const x of grid.found)
      svg.append(
        s("line", { class: "grid", x1: px(x), x2: px(x), y1: TOP, y2: foot }),
        s("text", { x: px(x), y: foot + 18, "text-anchor": "middle" }, x.toFixed(grid.digits)),
      );
    svg.append(
      s("line", { class: "axis", x1: LEFT, x2: width() - RIGHT, y1: HEIGHT, y2: HEIGHT }),
      s("text", { x: (LEFT + width()) / 2, y: foot + 38, "text-anchor": "middle" }, "2θ (°)"),
      s(
        "text",
        { x: -(HEIGHT / 2), y: 14, transform: "rotate(-90)", "text-anchor": "middle" },
        choice.value === "linear" ? "intensity" : `intensity, ${choice.selectedOptions[0].text}`,
      ),
    );
    for (const name of ["measured", "background", "fit"])
      if (data.curves[name])
        svg.append(s("path", { class: name, d: path(data.curves[name], range, px, py) }));
    rows.forEach((row, i) => marks(svg, row, HEIGHT + ROW * i));
    wire(svg);
    const focused = chart.contains(document.activeElement);
    chart.replaceChildren(svg);
    if (focused) svg.focus();
  }

  function marks(svg, row, top) {
    const [y1, y2] = [top + 5, top + ROW - 3];
    svg.append(s("text", { class: "row", x: 4, y: y2 - 2 }, row.name));
    const inside = (x) => x >= range[0] && x <= range[1];
    for (const [x, explained] of row.peaks ?? [])
      if (inside(x))
        svg.append(s("line", { class: explained ? "mark" : "mark against", x1: px(x), x2: px(x), y1, y2 }));
    for (const [x, , allowed, state] of row.lines ?? []) {
      if (!inside(x)) continue;
      if (allowed) svg.append(s("line", { class: "mark", x1: px(x), x2: px(x), y1, y2 }));
      else if (state === "there")
        svg.append(s("line", { class: "mark against", x1: px(x), x2: px(x), y1, y2 }));
      else if (state === "absent")
        svg.append(s("circle", { class: "mark forbidden", cx: px(x), cy: (y1 + y2) / 2, r: 2.5 }));
    }
  }

  function said(at) {
    const x = angle(at);
    const i = Math.min(from(xs, x), xs.length - 1);
    const near = (range[1] - range[0]) * (8 / width());
    const named = data.marks.flatMap(({ name, lines }) =>
      lines
        .filter(([place]) => Math.abs(place - x) < near)
        .slice(0, 3)
        .map(([, hkl, allowed, state]) => `${name}: ${hkl} ${allowed ? "allowed" : "forbidden"}, ${state}`),
    );
    read.textContent = [`${x.toFixed(3)}°, intensity ${ys[i]}`, ...named].join(" · ");
  }

  function wire(svg) {
    const place = (event) => event.clientX - svg.getBoundingClientRect().left;
    svg.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      pull = { start: place(event), box: s("rect", { class: "chosen", y: TOP, height: HEIGHT - TOP }) };
      svg.append(pull.box);
      if (event.pointerType !== "touch") svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      const at = place(event);
      said(at);
      if (!pull) return;
      pull.box.setAttribute("x", Math.min(at, pull.start));
      pull.box.setAttribute("width", Math.abs(at - pull.start));
    });
    svg.addEventListener("pointerup", (event) => {
      if (!pull) return;
      const [low, high] = [pull.start, place(event)].sort((a, b) => a - b);
      pull.box.remove();
      pull = null;
      if (high - low > 6) set(angle(Math.max(low, LEFT)), angle(Math.min(high, width() - RIGHT)));
    });
    svg.addEventListener("pointercancel", () => {
      pull?.box.remove();
      pull = null;
    });
    svg.addEventListener("dblclick", acts.all);
    svg.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        zoom(event.deltaY > 0 ? 1.25 : 0.8, angle(place(event)));
      },
      { passive: false },
    );
    svg.addEventListener("keydown", (event) => {
      const act = {
        "+": "in",
        "=": "in",
        "-": "out",
        ArrowLeft: "left",
        ArrowRight: "right",
        0: "all",
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      acts[act]();
    });
  }

  for (const button of figure.querySelectorAll("button"))
    button.addEventListener("click", acts[button.dataset.do]);
  choice.addEventListener("change", draw);
  let drawn = 0;
  new ResizeObserver(() => {
    if (drawn !== width()) draw();
    drawn = width();
  }).observe(chart);
}

document.querySelectorAll("figure.plot").forEach(begin);
