// Charts as inline SVG: intervals in a table, curves, points and heat maps.

function ticks(low, high, count = 5) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= rough);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    found.push(i * step);
  return { step, values: found };
}
const tickText = (value, step) => value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));

// The range of an axis of accuracies in percent: what models reach, and not what controls do.
function accuracyRange(rows, ks = [1]) {
  const judged = rows.filter((row) => !isControl(row));
  const values = (judged.length ? judged : rows)
    .flatMap((row) =>
      ks.flatMap((k) => [
        shown(row, k),
        shown(row, k, "_low"),
        shown(row, k, "_high"),
        shownCeiling(row, k),
      ]),
    )
    .filter(isNumber)
    .map(times100);
  if (!values.length) return [0, 100];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const pad = Math.max(0.06 * (high - low), 0.05);
  return [Math.max(0, low - pad), high + pad];
}

const PLOT = { width: 170, height: 20 };

// One row's accuracy with its interval, on an axis that all rows of the table share.
function intervalPlot(row, [low, high]) {
  const x = (value) =>
    Math.min(1, Math.max(0, (100 * value - low) / (high - low))) * (PLOT.width - 8) + 4;
  const svg = s("svg", {
    viewBox: `0 0 ${PLOT.width} ${PLOT.height}`,
    width: PLOT.width,
    height: PLOT.height,
    "aria-hidden": "true",
  });
  const limit = shownCeiling(row);
  const [value, from, to] = [shown(row), shown(row, 1, "_low"), shown(row, 1, "_high")];
  if (isNumber(limit) && 100 * limit >= low)
    svg.append(
      s("line", { class: "ceiling", x1: x(limit), x2: x(limit), y1: -20, y2: PLOT.height + 20 }),
    );
  if (row.isCeiling || !isNumber(value)) return svg;
  const kind = isControl(row) ? "mark control" : "mark";
  if (100 * value < low)
    return fill(svg, null, [s("path", { class: kind, d: "M8 6 L2 10 L8 14 Z" })]);
  if (isNumber(from) && isNumber(to))
    svg.append(s("line", { class: kind, x1: x(from), x2: x(to), y1: 10, y2: 10 }));
  svg.append(s("circle", { class: kind, cx: x(value), cy: 10, r: 3.5 }));
  return svg;
}

// Frame, ticks and names of axes; returns the scales too.
function frame(
  label,
  { width = 560, height = 300, left = 52, right = 16, top = 14, bottom = 44 },
  xAxis,
  yAxis,
) {
  const svg = s("svg", {
    viewBox: `0 0 ${width} ${height}`,
    class: "chart",
    role: "group",
    "aria-label": label,
  });
  const [inner, tall] = [width - left - right, height - top - bottom];
  const px = (value) =>
    left + ((value - xAxis.range[0]) / (xAxis.range[1] - xAxis.range[0])) * inner;
  const py = (value) =>
    top + tall - ((value - yAxis.range[0]) / (yAxis.range[1] - yAxis.range[0])) * tall;
  const { step, values } = ticks(...yAxis.range);
  for (const value of values) {
    svg.append(
      s("line", { class: "grid", x1: left, x2: width - right, y1: py(value), y2: py(value) }),
      s("text", { x: left - 8, y: py(value) + 4, "text-anchor": "end" }, tickText(value, step)),
    );
  }
  for (const [value, text] of xAxis.ticks) {
    svg.append(
      s("line", {
        class: "axis",
        x1: px(value),
        x2: px(value),
        y1: top + tall,
        y2: top + tall + 4,
      }),
      s("text", { x: px(value), y: top + tall + 18, "text-anchor": "middle" }, text),
    );
  }
  svg.append(
    s("line", { class: "axis", x1: left, x2: width - right, y1: top + tall, y2: top + tall }),
    s(
      "text",
      { class: "name", x: left + inner / 2, y: height - 6, "text-anchor": "middle" },
      xAxis.name,
    ),
    s(
      "text",
      {
        class: "name",
        x: -(top + tall / 2),
        y: 13,
        transform: "rotate(-90)",
        "text-anchor": "middle",
      },
      yAxis.name,
    ),
  );
  return { svg, px, py, left, right: width - right };
}

const path = (points) =>
  points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join(" ");

// Shapes of radius 1, which come back hollow and faint, and colours as far from one another as their number allows.
const SHAPES = [
  "M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0Z",
  "M-.9-.9H.9V.9H-.9Z",
  "M0-1.2L1.1.8H-1.1Z",
  "M0-1.3L1.2 0L0 1.3L-1.2 0Z",
  "M0 1.2L1.1-.8H-1.1Z",
  "M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z",
  "M-1.2-.4H1.2V.4H-1.2Z",
  "M-.4-1.2H.4V1.2H-.4Z",
];
const TURNS = ["", "hollow", "faint"];
const glyph = (shape, colour, x, y, r = 5) =>
  s("path", {
    class: ["glyph", TURNS[Math.floor(shape / SHAPES.length) % 3], colour === null ? "plain" : ""]
      .filter(Boolean)
      .join(" "),
    d: SHAPES[shape % SHAPES.length],
    transform: `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${r})`,
    style: { "--hue": ((colour ?? 0) * 137.5 + 250) % 360 },
  });
// What stands around the mark of a result that nobody has checked.
const ring = (x, y) => s("circle", { class: "unchecked", cx: x.toFixed(1), cy: y.toFixed(1), r: 8 });
const keyIcon = (...marks) => s("svg", { width: 18, height: 18, "aria-hidden": "true" }, marks);
const keyOf = (shape, colour, text) =>
  h("li", null, keyIcon(glyph(shape, colour, 9, 9)), " ", text);
const keyOfUnchecked = (rows) =>
  rows.some(isUnchecked)
    ? h("li", null, keyIcon(ring(9, 9)), " self-reported: nobody has checked it")
    : null;

// Models in lines, families as marks, a panel for each test set, and ceilings as dashed lines.
function overviewPlot(columns, lines) {
  const most = 40;
  const models = lines.slice(0, most);
  const families = [...new Set(columns.map(([family]) => family))];
  const tests = [...new Set(columns.map(([, test]) => test))];
  if (NARROW.matches) tests.length = 1;
  const [clip, panel, gap, step] = NARROW.matches ? [18, 200, 0, 24] : [34, 250, 26, 20];
  const left = Math.min(clip, Math.max(...models.map((line) => line.model.length))) * 7 + 14;
  const [top, tall] = [24, models.length * step];
  const width = left + tests.length * (panel + gap) + 12;
  const titles = tests.map((test) => wordsOf("test_data", test));
  const caption = `Extinction classes right (${unit()}) on ${titles.join("; ")}`;
  const svg = s("svg", {
    viewBox: `0 0 ${width} ${top + tall + 36}`,
    class: "chart wide",
    role: "img",
    "aria-label": `${caption}. The numbers are in the table below.`,
  });
  models.forEach(({ model }, i) => {
    const name = model.length > clip ? `${model.slice(0, clip - 1)}…` : model;
    const y = top + (i + 0.5) * step;
    svg.append(
      s("line", { class: "grid", x1: left, x2: width - gap - 12, y1: y, y2: y }),
      s("text", { class: "name", x: left - 8, y: y + 4, "text-anchor": "end" }, name),
    );
  });
  tests.forEach((test, j) => {
    const start = left + j * (panel + gap);
    const x = (value) => start + value * panel;
    svg.append(
      s("text", { class: "name", x: x(0.5), y: 12, "text-anchor": "middle" }, titles[j]),
      s("line", { class: "axis", x1: x(0), x2: x(1), y1: top + tall, y2: top + tall }),
    );
    for (const value of [0, 0.25, 0.5, 0.75, 1])
      svg.append(
        s("line", { class: "grid", x1: x(value), x2: x(value), y1: top, y2: top + tall }),
        s("text", { x: x(value), y: top + tall + 16, "text-anchor": "middle" }, `${100 * value}`),
      );
    const marks = models.flatMap((line, i) =>
      line.rows
        .filter((row, place) => hasResult(row) && columns[place][1] === test)
        .map((row) => ({ row, i, family: families.indexOf(row.family) })),
    );
    const limits = marks.map(({ row }) => limitOf(row)).filter(isNumber);
    for (const limit of new Set(limits))
      svg.append(
        s("line", {
          class: "ceiling",
          x1: x(limit),
          x2: x(limit),
          y1: top - 4,
          y2: top + tall + 4,
        }),
      );
    for (const { row, i, family } of marks) {
      const y = top + (i + 0.5) * step + 1.5 * (family - (families.length - 1) / 2);
      const lines = [
        row.model,
        `${familyOf(row)}: ${percent(shown(row))} ${unit()} (${interval(row)})`,
        isNumber(limitOf(row)) ? `ceiling ${percent(limitOf(row))} %` : "",
        checkedBy(row),
      ];
      svg.append(
        explain(
          s(
            "g",
            null,
            isUnchecked(row) ? ring(x(shown(row)), y) : null,
            glyph(family, family, x(shown(row)), y, 4.5),
          ),
          lines,
        ),
      );
    }
  });
  return h(
    "figure",
    null,
    svg,
    h(
      "ul",
      { class: "keys" },
      families.map((family, i) => keyOf(i, i, wordsOf("family", family))),
      svg.querySelector(".ceiling")
        ? h("li", null, h("span", { class: "key ceiling" }), " ceiling")
        : null,
      keyOfUnchecked(models.flatMap((line) => line.rows.filter(hasResult))),
    ),
    models.length < lines.length
      ? h("p", { class: "soft" }, `The first ${most} of ${lines.length} models.`)
      : null,
  );
}

// A mark that can be reached by keyboard and says what it stands for.
function dot([x, y], r, label, lines) {
  const circle = { class: "mark", cx: x, cy: y, r, tabindex: 0, role: "img", "aria-label": label };
  return explain(s("circle", circle), lines);
}

// Top-1 to top-5 of one row against its ceiling.
function topKCurve(row) {
  if (!isNumber(shown(row)))
    return h("p", { class: "missing" }, "There is no share, since the ceiling is no bound here.");
  const name = isBound(row) ? "ceiling" : "mark, no bound";
  const limits = K.filter((k) => isNumber(shownCeiling(row, k)));
  const xAxis = {
    name: "k: how many guesses count",
    range: [0.7, 5.3],
    ticks: K.map((k) => [k, `top-${k}`]),
  };
  const yAxis = { name: `accuracy (${unit()})`, range: accuracyRange([row], K) };
  const caption = `Top-1 to top-5 of ${row.model} against the ceiling`;
  const { svg, px, py } = frame(caption, NARROW.matches ? { width: 380 } : {}, xAxis, yAxis);
  const points = (of, ks) => ks.map((k) => [px(k), py(100 * of(row, k))]);
  const ks = K.filter((k) => isNumber(shown(row, k)));
  svg.append(s("path", { class: "curve", d: path(points(shown, ks)) }));
  if (limits.length)
    svg.append(s("path", { class: "ceiling", d: path(points(shownCeiling, limits)) }));
  for (const k of ks) {
    const [low, high] = [shown(row, k, "_low"), shown(row, k, "_high")];
    if (isNumber(low) && isNumber(high))
      svg.append(
        s("line", { class: "mark", x1: px(k), x2: px(k), y1: py(100 * low), y2: py(100 * high) }),
      );
    const text = `${percent(shown(row, k))} (${interval(row, k)}) ${unit()}; ${name}: ${percent(shownCeiling(row, k))}`;
    svg.append(
      dot([px(k), py(100 * shown(row, k))], 5, `top-${k}: ${text}`, [`top-${k}`, text]),
    );
  }
  return h(
    "figure",
    null,
    svg,
    h(
      "figcaption",
      null,
      h("span", { class: "key curve" }),
      " model with 95 % intervals ",
      h("span", { class: "key ceiling" }),
      ` ${name}: ${ceilingName()}`,
    ),
    numbers(
      caption,
      ["k", "accuracy", "95 % interval", name, "to the ceiling (points)"],
      K.map((k) => [
        `top-${k}`,
        percent(shown(row, k)),
        interval(row, k),
        percent(shownCeiling(row, k)),
        isNumber(boundOf(row, k))
          ? signed(100 * (shown(row, k) - shownCeiling(row, k)), 2)
          : NONE,
      ]),
    ),
  );
}

// How often the first guess is right, by the probability that was stated for it; `bins` are
// [bin, samples, mean stated probability, fraction right].
function reliability(bins, model) {
  const caption = `How often the first guess of ${model} is right, by its stated probability`;
  const steps = [0, 20, 40, 60, 80, 100];
  const { svg, px, py } = frame(
    caption,
    { width: 380, height: 330 },
    {
      name: "stated probability (%)",
      range: [0, 100],
      ticks: steps.map((value) => [value, `${value}`]),
    },
    { name: "right (%)", range: [0, 100] },
  );
  svg.classList.add("reliability");
  svg.append(s("line", { class: "ceiling", x1: px(0), x2: px(100), y1: py(0), y2: py(100) }));
  const most = Math.max(...bins.map(([, n]) => n));
  for (const [, n, stated, right] of bins) {
    const [x, y] = [px(100 * stated), py(100 * right)];
    const text = `${percent(right)} % of ${whole(n)} are right where ${percent(stated)} % is stated`;
    svg.append(
      s("line", { class: "mark thin", x1: x, x2: x, y1: y, y2: py(100 * stated) }),
      dot([x, y], (2.5 + 5.5 * Math.sqrt(n / most)).toFixed(1), text, [text]),
    );
  }
  return h(
    "figure",
    null,
    svg,
    h(
      "figcaption",
      null,
      "Below the dashed line a model promises too much; larger dots hold more samples.",
    ),
    numbers(
      caption,
      ["stated between", "stated, mean", "right", "to the line (points)", "n"],
      bins.map(([i, n, stated, right]) => [
        `${fixed((100 * i) / 15, 1)}–${fixed((100 * (i + 1)) / 15, 1)} %`,
        percent(stated),
        percent(right),
        signed(100 * (right - stated), 1),
        whole(n),
      ]),
    ),
  );
}

// Names of dots: the model, and what else it takes to tell dots of one model apart.
function labelsOf(rows) {
  const labels = new Map(rows.map((row) => [row, row.model]));
  const more = [trainedShort, testedOn, familyOf, ({ class_scheme }) => schemeName(class_scheme)];
  for (const part of [...more, ({ scale }) => scale, ({ position }) => `row ${position + 1}`]) {
    const same = new Map();
    for (const [row, label] of labels) same.set(label, [...(same.get(label) ?? []), row]);
    for (const [label, alike] of same)
      if (new Set(alike.map(part)).size > 1)
        for (const row of alike) labels.set(row, `${label}, ${part(row)}`);
  }
  return labels;
}

const costText = (row, cost) => (row[cost] < 100 ? short(row[cost]) : whole(row[cost]));

// Accuracy against what it costs, and the line of those that nothing cheaper beats.
function costPlot(rows, cost) {
  const priced = rows.filter((row) => row[cost] > 0 && isNumber(shown(row)));
  const caption = `Top-1 accuracy against ${COSTS[cost]}`;
  if (!priced.length) return h("p", { class: "missing" }, "None of these rows says what it cost.");
  const logs = priced.map((row) => Math.log10(row[cost]));
  const range = [
    Math.floor(Math.min(...logs) * 2 - 0.2) / 2,
    Math.ceil(Math.max(...logs) * 2 + 0.2) / 2,
  ];
  const powers = [];
  for (let p = Math.floor(range[0]); p <= range[1]; p++) {
    for (const digit of range[1] - range[0] < 2.6 ? [1, 2, 5] : [1]) {
      const at = p + Math.log10(digit);
      if (at >= range[0] && at <= range[1]) powers.push([at, short(digit * 10 ** p)]);
    }
  }
  const xAxis = { name: `${COSTS[cost]} (logarithmic)`, range, ticks: powers };
  const yAxis = { name: `top-1 accuracy (${unit()})`, range: accuracyRange(priced) };
  const { svg, px, py, left, right } = frame(
    caption,
    NARROW.matches ? { width: 380, height: 400 } : { width: 860, height: 430 },
    xAxis,
    yAxis,
  );
  svg.classList.add("wide");
  for (const limit of new Set(priced.map(limitOf).filter(isNumber))) {
    svg.append(
      s("line", {
        class: "ceiling",
        x1: left,
        x2: right,
        y1: py(100 * limit),
        y2: py(100 * limit),
      }),
    );
  }
  const at = (row) => [px(Math.log10(row[cost])), py(100 * shown(row))];
  const cheap = [...priced].sort((a, b) => a[cost] - b[cost] || shown(b) - shown(a));
  const front = [];
  for (const row of cheap) if (!front.length || shown(row) > shown(front.at(-1))) front.push(row);
  if (new Set(priced.map(groupOf)).size === 1) {
    const steps = front.flatMap((row, i) =>
      i ? [[at(row)[0], at(front[i - 1])[1]], at(row)] : [at(row)],
    );
    svg.append(s("path", { class: "front", d: path([...steps, [right, steps.at(-1)[1]]]) }));
  }
  const models = [...new Set(priced.map((row) => row.model))];
  const trained = [...new Set(priced.map(trainedShort))].sort();
  const labels = labelsOf(priced);
  const taken = priced.map((row) => ({ x: at(row)[0] - 6, y: at(row)[1] - 6, w: 12, h: 12 }));
  for (const row of [...priced].sort((a, b) => shown(b) - shown(a))) {
    const [x, y] = at(row);
    const text = `${percent(shown(row))} (${interval(row)}) ${unit()}, ${costText(row, cost)} ${COSTS[cost]}, trained on: ${trainedOn(row)}, tested on: ${testedOn(row)}`;
    const [low, high] = [shown(row, 1, "_low"), shown(row, 1, "_high")];
    if (isNumber(low) && isNumber(high))
      svg.append(
        s("line", { class: "mark thin", x1: x, x2: x, y1: py(100 * low), y2: py(100 * high) }),
      );
    svg.append(
      explain(
        s(
          "a",
          { href: modelAddress(row), "aria-label": [`${row.model}: ${text}`, checkedBy(row)].filter(Boolean).join(", ") },
          s("circle", { class: "reach", cx: x, cy: y, r: 12 }),
          isUnchecked(row) ? ring(x, y) : null,
          glyph(trained.indexOf(trainedShort(row)), models.indexOf(row.model), x, y),
        ),
        [row.model, text, checkedBy(row)],
      ),
    );
    const name = labels.get(row);
    if (name.length > 48) continue;
    const w = 6.6 * name.length;
    const away = isUnchecked(row) ? 11 : 9;
    const place = [
      [away, 4],
      [-away, 4],
      [away, -9],
      [away, 17],
      [-away, -9],
      [-away, 17],
    ]
      .map(([dx, dy]) => ({ x: x + dx - (dx < 0 ? w : 0), y: y + dy - 10, w, h: 13, end: dx < 0 }))
      .find(
        (box) =>
          box.x > left &&
          box.x + box.w < right + 10 &&
          box.y > 0 &&
          taken.every(
            (o) =>
              box.x + box.w < o.x || o.x + o.w < box.x || box.y + box.h < o.y || o.y + o.h < box.y,
          ),
      );
    if (!place) continue;
    taken.push(place);
    svg.append(
      s(
        "text",
        {
          class: "label",
          x: place.end ? place.x + w : place.x,
          y: place.y + 10,
          "text-anchor": place.end ? "end" : null,
          "aria-hidden": "true",
        },
        name,
      ),
    );
  }
  return h(
    "figure",
    null,
    svg,
    h(
      "figcaption",
      null,
      h("span", { class: "key curve" }),
      " what nothing cheaper beats ",
      h("span", { class: "key ceiling" }),
      " ceiling. Names that have no room are in the hints and in the table.",
    ),
    h("ul", { class: "keys" }, models.map((model, i) => keyOf(0, i, model)), keyOfUnchecked(priced)),
    h("ul", { class: "keys" }, trained.map((name, i) => keyOf(i, null, `trained on: ${name}`))),
    numbers(
      caption,
      ["model", "trained on", "tested on", "accuracy", "95 % interval", COSTS[cost]],
      [...priced]
        .sort((a, b) => shown(b) - shown(a))
        .map((row) => [
          row.model,
          trainedOn(row),
          testedOn(row),
          percent(shown(row)),
          interval(row),
          costText(row, cost),
        ]),
    ),
  );
}

