// Tables of coloured cells: the overview, generalization, confusions.

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// What of a cell takes the focus: a link where it leads somewhere.
const focusOf = (td) => td?.querySelector("a.cell") ?? (td?.matches(".cell") ? td : null);

// One cell is in the tab order, and arrow keys lead to its neighbours.
function grid(caption, head, bodies, kind = "") {
  const table = h(
    "table",
    { role: "grid", "aria-readonly": "true", class: kind },
    h("caption", { class: "hidden" }, caption),
    h("thead", null, head),
    bodies,
  );
  const rows = [...table.rows];
  table.querySelector(".cell")?.setAttribute("tabindex", 0);
  table.addEventListener("keydown", (event) => {
    const [down, right] = ARROWS[event.key] ?? [0, 0];
    const from = event.target.closest("td");
    if (!from || !(down || right)) return;
    event.preventDefault();
    let [i, j] = [from.parentNode.rowIndex, from.cellIndex];
    do {
      [i, j] = [i + down, j + right];
      const next = focusOf(rows[i]?.cells[j]);
      if (!next) continue;
      event.target.setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
      return;
    } while (i >= 0 && i < rows.length && j >= 0 && j <= from.parentNode.cells.length);
  });
  return h(
    "div",
    { class: "scroll board", role: "region", "aria-label": caption, tabindex: 0 },
    table,
  );
}

// The first of `lines` is what the cell is about; `strength` is from 0 to 1.
function gridCell(content, strength, lines, { href, kind = "" } = {}) {
  const attributes = {
    class: `cell ${kind}`,
    tabindex: -1,
    "aria-label": lines.filter(Boolean).join(", "),
    style: { "--strength": `${(100 * Math.min(1, Math.max(0, strength))).toFixed(0)}%` },
  };
  if (!href) return explain(h("td", attributes, content), lines);
  return h("td", null, explain(h("a", { ...attributes, href }, content), lines));
}

// --- accuracies by line and column -------------------------------------------------------------

const CONTROLS = "Controls: no contenders, they say what a number means";
const partHeader = (name, width) =>
  h(
    "tr",
    { class: "part" },
    h("th", { scope: "rowgroup", colspan: width }, h("span", null, name)),
  );

// The head of a column of one test set.
const testHeader = (test) =>
  h(
    "th",
    { scope: "col" },
    explain(
      h(
        "span",
        { tabindex: 0, "aria-description": sentenceOf("test_data", test) },
        wordsOf("test_data", test),
      ),
      [wordsOf("test_data", test), sentenceOf("test_data", test)],
    ),
  );

const mean = (values) => values.reduce((a, b) => a + b, 0) / (values.length || 1);

const hasResult = (row) => row && isNumber(shown(row));
const resultsOf = (line) => line.rows.filter(hasResult);

// Lines with results on the same data in the same columns, the most columns first, controls last.
// Only such lines are compared, the best on average first.
function comparable(lines) {
  const parts = new Map();
  for (const line of lines) {
    const key = JSON.stringify([line.control, resultsOf(line).map(groupOf)]);
    parts.set(key, [...(parts.get(key) ?? []), line]);
  }
  const average = (line) => mean(resultsOf(line).map((row) => shown(row)));
  const full = (part) => resultsOf(part[0]).length;
  return [...parts.values()]
    .map((part) => part.sort((a, b) => average(b) - average(a)))
    .sort((a, b) => a[0].control - b[0].control || full(b) - full(a) || b.length - a.length);
}

function partName(part) {
  if (part[0].control) return CONTROLS;
  const [n, all] = [resultsOf(part[0]).length, part[0].rows.length];
  const results = n < all ? `${n} of ${all} results` : n === 1 ? "The one result" : `All ${n} results`;
  const several = part.length > 1;
  const order = several ? ", the best on average first" : "";
  const apart = several ? "; compared with one another only" : "; not compared with the others";
  return `${results}${order}${n < all ? apart : ""}`;
}

function accuracyCell(row, href) {
  if (!hasResult(row)) return h("td", { class: "none" }, NONE);
  const limit = limitOf(row);
  const lines = [
    `${row.model}, ${familyOf(row)}`,
    `${percent(shown(row))} ${unit()} of ${schemeName(row.class_scheme)} right (95 % interval ${interval(row)})`,
    isNumber(limit) ? `ceiling ${percent(limit)} %` : "",
    `trained on: ${trainedOn(row)}`,
    `tested on: ${testedOn(row)}, ${row.source}`,
    `n = ${whole(row.n_test)}${isSmall(row) ? ", a small test" : ""}`,
    checkedBy(row),
  ];
  const content = [
    percent(shown(row)),
    isNumber(limit) ? h("small", null, ` of ${percent(limit)}`) : null,
    isSmall(row) ? h("small", { class: "few" }, " small test") : null,
  ];
  return gridCell(content, shown(row), lines, { href });
}

// A line is self-reported where any of its results is.
const leastChecked = (rows) =>
  rows.find((row) => row && isUnchecked(row)) ?? rows.find(Boolean);

// Lines are {model, note, control, rows, variants}.
function accuracyGrid(caption, head, lines, addressOfCell) {
  const one = (line, kind, ...more) =>
    h(
      "tr",
      { class: kind },
      h(
        "th",
        { scope: "row", class: "model" },
        h("a", { href: modelAddress(line.rows.find(Boolean)) }, breakable(line.model)),
        " ",
        line.control ? null : badge(leastChecked(line.rows)),
        " ",
        h("span", { class: "soft note" }, line.note),
        more,
      ),
      line.rows.map((row) => accuracyCell(row, row && addressOfCell(row))),
    );
  const parts = comparable(lines);
  const width = lines[0].rows.length + 1;
  return grid(
    caption,
    head,
    parts.map((part) =>
      h(
        "tbody",
        null,
        partHeader(partName(part), width),
        part.map((line) => [
          one(
            line,
            line.control ? "control" : null,
            variantsButton(line.model, line.variants.length),
          ),
          isOpen(line.model) ? line.variants.map((variant) => one(variant, "variant")) : [],
        ]),
      ),
    ),
    "accuracies",
  );
}

function variantsButton(model, n) {
  if (!n) return null;
  const open = isOpen(model);
  return h(
    "button",
    {
      type: "button",
      class: "fold",
      "data-fold": model,
      "aria-expanded": String(open),
      onclick: () => change({ open: state.open === model ? "" : model }),
    },
    `${open ? "▾" : "▸"} ${n} ${n === 1 ? "variant" : "variants"}`,
  );
}

// --- overview --------------------------------------------------------------------------------------

const tableAddress = (row) =>
  addressOf({
    ...state,
    view: "table",
    q: "",
    scale: row.scale,
    family: row.family,
    test: row.test_data,
    scheme: row.class_scheme,
    train: row.train_set === "none" ? "" : row.train_set,
  });

function overviewLines({ lines }) {
  const own = new Map();
  lines.forEach(({ model, trained, control, variant_of, cells }, i) => {
    const rows = cells.map((position) => (position === null ? null : ROWS[position]));
    const line = { model, control, rows, variants: [] };
    line.note = `trained on: ${trained.join("; ")}`;
    if (control || trained.join() === wordsOf("train_set", "none")) line.note = "";
    if (variant_of === null) own.set(i, line);
    else own.get(variant_of).variants.push(line);
  });
  return [...own.values()].filter(
    (line) =>
      line.rows.some(Boolean) && isWanted(line) && (state.controls === "yes" || !line.control),
  );
}

function overviewView() {
  const view = INDEX.overview.find(({ scale }) => scale === state.scale) ?? INDEX.overview[0];
  const lines = overviewLines(view);
  if (!lines.length) return [nothing()];
  const spans = new Map();
  for (const [family] of view.columns) spans.set(family, (spans.get(family) ?? 0) + 1);
  const head = [
    h(
      "tr",
      null,
      h("th", { scope: "col", class: "model", rowspan: 2 }, "model"),
      [...spans].map(([family, n]) =>
        h("th", { scope: "colgroup", colspan: n }, wordsOf("family", family)),
      ),
    ),
    h(
      "tr",
      null,
      view.columns.map(([, test]) => testHeader(test)),
    ),
  ];
  const caption = `Extinction classes right, in percent, scale ${view.scale}`;
  const contenders = comparable(lines.filter((line) => !line.control)).flat();
  return [
    contenders.length ? overviewPlot(view.columns, contenders) : null,
    h(
      "p",
      { class: "soft" },
      "How often the extinction class is right, in percent, beside the ceiling where there is one. A cell leads to the results behind it. ",
      INDEX.training_rule,
    ),
    accuracyGrid(caption, head, lines, tableAddress),
  ];
}

// --- generalization ----------------------------------------------------------------------------------

function matrixLines(rows, tests) {
  const { variants } = folded(rows);
  const heads = new Map([...variants].flatMap(([head, of]) => of.map((row) => [row, ROWS[head]])));
  const keyOf = (row) => JSON.stringify([row.model, row.train_set]);
  const lines = new Map();
  for (const row of rows) {
    if (!lines.has(keyOf(row)))
      lines.set(keyOf(row), {
        model: row.model,
        note: isControl(row) || row.train_set === "none" ? "" : `← ${trainedShort(row)}`,
        control: isControl(row),
        rows: tests.map(() => null),
        variants: [],
      });
    const line = lines.get(keyOf(row));
    line.rows[tests.indexOf(row.test_data)] = row;
    line.head ??= heads.has(row) ? keyOf(heads.get(row)) : undefined;
  }
  for (const line of lines.values()) if (line.head) lines.get(line.head).variants.push(line);
  return [...lines.values()].filter((line) => !line.head);
}

function matrixOf(rows, caption) {
  const tests = distinct("test_data", rows);
  const head = h(
    "tr",
    null,
    h("th", { scope: "col", class: "model" }, "model ← trained on"),
    tests.map(testHeader),
  );
  return accuracyGrid(caption, head, matrixLines(rows, tests), modelAddress);
}

function matrixView() {
  const rows = filtered(["test"]);
  if (!rows.length) return [nothing()];
  const groups = new Map();
  for (const row of rows) {
    const key = JSON.stringify([row.scale, row.family, row.class_scheme]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [
    h(
      "p",
      { class: "soft" },
      "Each line is a model with its training set, each column a test set. Arrow keys move between cells; a click or Enter opens the model.",
    ),
    ...[...groups.values()].map((mine) => {
      const of = `${familyOf(mine[0])}, ${schemeName(mine[0].class_scheme)}`;
      const caption = `Top-1 accuracy (${unit()}), ${of}`;
      return h("section", null, h("h3", null, caption), matrixOf(mine, caption));
    }),
    noBound(rows),
  ];
}
