// Models under conditions of measurement: a panel a condition, a curve a model, and mixtures as a table.

const CONDITIONS = INDEX.conditions;
const pointText = (point) =>
  point ? `${percent(point[0])} (${percent(point[1])}–${percent(point[2])})` : NONE;
const isUnder = (model) => CONDITIONS.lines.some((line) => line.model === model);
const lineName = (line, several) => line.name + (several ? `, scale ${line.scale}` : "");
const tickOf = (place) =>
  place === "ideal" ? place : String(Number(Number(place).toPrecision(3))).replace(/000$/, "k");

function conditionsView() {
  const families = [...new Set(CONDITIONS.lines.map((line) => line.family))];
  const family = families.includes(state.family) ? state.family : families[0];
  const lines = CONDITIONS.lines.filter((line) => line.family === family && isWanted(line));
  const other = state.family && family !== state.family;
  if (!lines.length)
    return [h("p", { class: "missing" }, `No model under conditions fits these filters.`)];
  return [
    h(
      "p",
      { class: "soft" },
      `Extinction classes right on designed patterns between the mesh points, ${wordsOf("family", family)}, in percent, when measuring changes the patterns. `,
      other
        ? `There is nothing of ${wordsOf("family", state.family)}; this is another family. `
        : "",
      "Models were trained on ideal patterns unless it says that they were trained under a condition.",
    ),
    mixtureTable(lines, family),
    curvesOf(lines, family),
  ];
}

// One number a cell: a mixture has amounts of its own in each pattern.
function mixtureTable(lines, family) {
  const mine = lines.filter((line) => Object.keys(line.mixtures).length);
  if (!mine.length) return null;
  const several = new Set(mine.map((line) => line.scale)).size > 1;
  const ceilings = CONDITIONS.ceilings[family] ?? {};
  const bound = (name) => (ceilings[name] ? percent(ceilings[name][1]) : "no bound");
  return section(
    "Mixtures",
    table(
      `Percent right with 95 % intervals, ${wordsOf("family", family)}`,
      ["model", "n", "ideal patterns", ...CONDITIONS.mixtures.map(([name]) => name)],
      [
        ...mine.map((line) => [
          lineName(line, several),
          [line.ideal, ...Object.values(line.mixtures)]
            .filter(Boolean)
            .map((point) => whole(point[3]))
            .filter((text, i, all) => all.indexOf(text) === i)
            .join(" and "),
          pointText(line.ideal),
          ...CONDITIONS.mixtures.map(([name]) => pointText(line.mixtures[name])),
        ]),
        ["highest possible", NONE, NONE, ...CONDITIONS.mixtures.map(([name]) => bound(name))],
      ],
      { class: "scroll sentences" },
    ),
    h(
      "dl",
      null,
      CONDITIONS.mixtures.flatMap(([name, text]) => [h("dt", null, name), h("dd", null, text)]),
    ),
  );
}

function curvesOf(lines, family) {
  const drawn = lines.filter((line) => Object.keys(line.curves).length);
  if (!drawn.length) return null;
  const several = new Set(drawn.map((line) => line.scale)).size > 1;
  const names = drawn.map((line) => lineName(line, several));
  const ceilings = CONDITIONS.ceilings[family] ?? {};
  const kinds = CONDITIONS.kinds.filter(([kind]) => drawn.some((line) => line.curves[kind]));
  const sizes = drawn.flatMap((line) =>
    Object.values(line.curves).flatMap((points) => points.filter(Boolean).map((point) => point[3])),
  );
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const caption = `Percent of extinction classes right at each severity, with 95 % intervals, ${wordsOf("family", family)}`;
  return section(
    "Against severity",
    h(
      "p",
      { class: "soft" },
      `A curve begins at ideal patterns, on the left, and goes on to the five severities of one condition. Each point is of ${least === most ? whole(least) : `${whole(least)} to ${whole(most)}`} patterns; bars are 95 % intervals. `,
      "A dashed line is the highest accuracy that is possible; where there is none, no bound is known.",
    ),
    h(
      "ul",
      { class: "keys" },
      names.map((name, i) => keyOf(i, i, name)),
      Object.keys(ceilings).length
        ? h("li", null, h("span", { class: "key ceiling" }), " highest possible")
        : null,
    ),
    h(
      "div",
      { class: "panels" },
      kinds.map((kind) => conditionPanel(kind, drawn, names, ceilings[kind[0]])),
    ),
    numbers(
      caption,
      ["condition", "model", "ideal", "1", "2", "3", "4", "5"],
      kinds.flatMap(([kind, , unit, severities]) => {
        const named = `${kind}: ${severities.join(", ")} ${unit}`;
        const limits = ceilings[kind]?.map((value) => percent(value)) ?? Array(6).fill("no bound");
        return [
          ...drawn.flatMap((line, i) =>
            line.curves[kind] ? [[named, names[i], ...line.curves[kind].map(pointText)]] : [],
          ),
          [named, "highest possible", ...limits],
        ];
      }),
    ),
  );
}

function conditionPanel([kind, text, unit, severities], lines, names, ceiling) {
  const places = ["ideal", ...severities];
  const said = lines
    .map((line, i) => [names[i], line.curves[kind]?.at(-1)])
    .filter(([, point]) => point)
    .map(([name, point]) => `${name} ${percent(point[0])} %`);
  const { svg, px, py } = frame(
    `${kind}. At ${places.at(-1)} ${unit}: ${said.join(", ")}. All numbers are in the table below.`,
    { width: 250, height: 170, left: 36, right: 10, top: 8, bottom: 40 },
    {
      name: unit,
      range: [-0.2, 5.2],
      ticks: places.map((place, i) => [i, tickOf(place)]),
    },
    { name: "", range: [0, 100] },
  );
  svg.setAttribute("role", "img");
  if (ceiling) {
    const known = ceiling.map((value, i) => [i, value]).filter(([, value]) => isNumber(value));
    svg.append(
      s("path", { class: "ceiling", d: path(known.map(([i, value]) => [px(i), py(100 * value)])) }),
    );
  }
  lines.forEach((line, i) => {
    const known = (line.curves[kind] ?? []).map((point, k) => [k, point]).filter(([, one]) => one);
    const style = { "--hue": (i * 137.5 + 250) % 360 };
    const points = known.map(([k, point]) => [px(k), py(100 * point[0])]);
    svg.append(s("path", { class: "curve hued", d: path(points), style }));
    for (const [k, point] of known)
      svg.append(
        s("line", {
          class: "mark hued",
          x1: px(k),
          x2: px(k),
          y1: py(100 * point[1]),
          y2: py(100 * point[2]),
          style,
        }),
        explain(glyph(i, i, px(k), py(100 * point[0]), 3), [
          names[i],
          `${kind}, ${k ? `${places[k]} ${unit}` : "ideal patterns"}: ${pointText(point)} %, n = ${whole(point[3])}`,
          ceiling && isNumber(ceiling[k]) ? `highest possible ${percent(ceiling[k])} %` : "no bound",
        ]),
      );
  });
  return h(
    "figure",
    null,
    explain(h("figcaption", null, h("strong", null, kind), ceiling ? "" : " · no bound"), [
      kind,
      text,
    ]),
    svg,
  );
}
