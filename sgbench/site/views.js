// The views that compare rows: table and cost.

const NUMBER = { number: true };
const accuracyColumn = (k) => ({
  key: `top${k}`,
  name: `top-${k}`,
  ...NUMBER,
  value: (row) => shown(row, k),
  text: (row) => percent(shown(row, k)),
});
const COLUMNS = [
  {
    key: "model",
    name: "model",
    value: (row) => row.model.toLowerCase(),
    cell: modelCell,
    header: true,
  },
  {
    key: "rank",
    term: "rank-interval",
    name: "rank",
    ...NUMBER,
    up: true,
    value: (row) => (row.rank_best === null ? null : row.rank_best + row.rank_worst / 1e4),
    text: rankText,
    about: "the ranks that the data leave open; equal ranges are ties",
  },
  {
    key: "scale",
    name: "scale",
    value: (row) => row.scale,
    text: (row) => row.scale,
    fixed: "scale",
  },
  {
    key: "family",
    name: "family",
    value: (row) => row.family,
    text: familyOf,
    fixed: "family",
  },
  {
    key: "class_scheme",
    name: "classes",
    value: (row) => row.class_scheme,
    text: (row) => schemeName(row.class_scheme),
    fixed: "scheme",
  },
  {
    key: "test_set",
    name: "tested on",
    value: testedOn,
    cell: (row) => setLink("test", row),
    fixed: "test",
  },
  {
    key: "train_set",
    name: "trained on",
    value: trainedOn,
    cell: (row) => (row.train_set === "none" ? NONE : setLink("train", row)),
    fixed: "train",
  },
  {
    ...accuracyColumn(1),
    cell: (row) => [
      h("strong", null, percent(shown(row))),
      " ",
      h("span", { class: "soft" }, row.isCeiling ? "" : `(${interval(row)})`),
    ],
    about: "accuracy with its 95 % interval",
  },
  {
    key: "n_test",
    name: "n",
    ...NUMBER,
    value: (row) => row.n_test,
    cell: (row) => [
      whole(row.n_test),
      isSmall(row) ? [" ", h("span", { class: "badge" }, "small test")] : null,
    ],
    about: `samples of the test set; a small test has fewer than ${SMALL} that are independent`,
  },
  { key: "plot", name: "" },
  {
    key: "accuracy",
    of: "top1",
    name: "top-1 itself",
    only: "share",
    ...NUMBER,
    value: (row) => row.top1,
    text: (row) => percent(row.top1),
  },
  {
    key: "raw_top1",
    name: "raw hits",
    ...NUMBER,
    value: (row) => row.raw_top1,
    text: (row) => percent(row.raw_top1),
    about: "plain share of hits, in percent; top-1 is its expectation where the label is a coin",
  },
  {
    key: "lead",
    term: "paired-test",
    name: "lead over next",
    ...NUMBER,
    value: (row) => row.lead,
    cell: leadCell,
    about: "points of top-1 ahead of the next in rank; a tie where chance explains it",
  },
  {
    key: "gap",
    of: "gap_top1",
    name: "to ceiling",
    ...NUMBER,
    value: (row) => gapOf(row),
    text: (row) => signed(times100(gapOf(row)), 2),
    about: "top-1 minus its ceiling, in points",
  },
  {
    key: "share",
    of: "share_top1",
    name: "share",
    only: "accuracy",
    ...NUMBER,
    value: (row) => shareOf(row),
    text: (row) => percent(shareOf(row)),
    about: "top-1 ÷ its ceiling, in percent",
  },
  ...[2, 3, 4, 5].map(accuracyColumn),
  {
    key: "balanced_accuracy",
    name: "balanced",
    ...NUMBER,
    value: (row) => row.balanced_accuracy,
    text: (row) => percent(row.balanced_accuracy),
    about: "top-1 as the mean over labels",
  },
  {
    key: "ece",
    name: "ECE",
    ...NUMBER,
    up: true,
    value: (row) => row.ece,
    text: (row) => fixed(times100(row.ece), 2),
    about: "expected calibration error, in points; lower is better",
  },
  {
    key: "regret",
    name: "regret",
    ...NUMBER,
    up: true,
    value: (row) => row.regret,
    text: (row) => fixed(row.regret, 3),
    about: "what its probabilities lose to the exact ones, in nats; lower is better",
  },
  {
    key: "seeds",
    name: "seeds",
    ...NUMBER,
    value: (row) => row.seeds,
    text: (row) =>
      row.isCeiling
        ? NONE
        : isNumber(row.top1_seed_sd)
          ? `${row.seeds} (sd ${fixed(100 * row.top1_seed_sd, 2)})`
          : whole(row.seeds),
    about: "trainings, and the spread of top-1 between them in points",
  },
  {
    key: "parameters",
    name: "parameters",
    ...NUMBER,
    up: true,
    value: (row) => row.parameters || null,
    text: (row) => (row.parameters ? short(row.parameters) : NONE),
  },
  {
    key: "train_patterns",
    name: "training patterns",
    ...NUMBER,
    up: true,
    value: (row) => row.train_patterns || null,
    text: (row) => (row.train_patterns ? short(row.train_patterns) : NONE),
  },
  {
    key: "train_seconds",
    name: "training s",
    ...NUMBER,
    up: true,
    value: (row) => row.train_seconds || null,
    text: (row) => (row.train_seconds ? whole(row.train_seconds) : NONE),
    about: "seconds of training on the hardware of the model's page",
  },
  {
    key: "patterns_per_second",
    name: "patterns / s",
    ...NUMBER,
    value: (row) => row.patterns_per_second ?? null,
    text: (row) => short(row.patterns_per_second),
    about: "patterns predicted a second where they were predicted, rendering included",
  },
  {
    key: "again",
    term: "row",
    name: "make again",
    there: () => ROWS.some((row) => row.again),
    value: (row) => (row.again ? 1 : 0),
    cell: (row) =>
      row.again ? copyButton(row.again, `copy the command that makes ${row.model} again`) : NONE,
    about: "copies the command that makes the row again in a clone of the project",
  },
];
const COLUMN = Object.fromEntries(COLUMNS.map((column) => [column.key, column]));

function gapOf(row) {
  const limit = boundOf(row);
  return isNumber(limit) && !row.isCeiling ? row.top1 - limit : null;
}
function shareOf(row) {
  const limit = boundOf(row);
  return limit ? row.top1 / limit : null;
}

// A set's name, which narrows the table to it.
function setLink(key, row) {
  const [name, value] = [FIELD[key], row[FIELD[key]]];
  const words = key === "train" && state.family ? trainedShort(row) : wordsOf(name, value);
  const link = h("a", { href: addressOf({ ...state, [key]: value }) }, words);
  return explain(link, [wordsOf(name, value), sentenceOf(name, value)]);
}

// A long name may break where its parts meet.
const breakable = (name) =>
  name.split(/(?<=[._:-])/).flatMap((part, i) => (i ? [h("wbr"), part] : [part]));

function badge(row) {
  return row.status && row.status !== "reference"
    ? h("span", { class: "badge" }, row.status)
    : null;
}
// The same in words, for hints.
const isUnchecked = (row) => row.status === "self-reported";
const checkedBy = (row) => (isUnchecked(row) ? "self-reported: nobody has checked it" : "");

function modelCell(row, variants) {
  if (row.isCeiling)
    return h(
      "span",
      { class: "ceiling-name" },
      isBound(row) ? `ceiling: ${ceilingName()}` : `a mark, no bound: ${ceilingName()}`,
    );
  return [
    h("a", { href: modelAddress(row) }, breakable(row.model)),
    " ",
    badge(row),
    variantsButton(row.model, variants?.length),
  ];
}

function leadCell(row) {
  if (!isNumber(row.lead)) return NONE;
  const points = signed(100 * row.lead, 2);
  return row.lead_p < 0.05
    ? [h("strong", null, points), " ", h("span", { class: "soft" }, probability(row.lead_p))]
    : h("span", { class: "soft" }, `tie (${points}, ${probability(row.lead_p)})`);
}

// The ceilings stand in the table as rows of their own, one for each group.
function withCeilings(rows) {
  const groups = new Map(rows.map((row) => [groupOf(row), row]));
  const added = [...groups.values()]
    .filter((row) => isNumber(ceilingOf(row)))
    .map((row) => ({
      ...Object.fromEntries(COLUMN_NAMES.map((name) => [name, null])),
      isCeiling: true,
      model: "ceiling",
      scale: row.scale,
      family: row.family,
      test_set: row.test_set,
      test_data: row.test_data,
      source: row.source,
      test_sha256: row.test_sha256,
      class_scheme: row.class_scheme,
      no_bound: row.no_bound,
      train_set: "none",
      status: "ceiling",
      n_test: row.n_test,
      ...Object.fromEntries(
        K.flatMap((k) => [
          [`top${k}`, ceilingOf(row, k)],
          ...INDEX.ceilings.map(([stem]) => [`${stem}_top${k}`, row[`${stem}_top${k}`]]),
        ]),
      ),
    }));
  return [...rows, ...added];
}

function sorted(rows) {
  const down = state.sort.startsWith("-");
  const column = COLUMN[state.sort.replace(/^-/, "")];
  if (!column?.value) return rows;
  const keyed = rows.map((row, i) => [column.value(row), i, row]);
  const has = ([value]) => value !== null && value !== undefined;
  keyed.sort((a, b) => {
    if (has(a) !== has(b)) return has(a) ? -1 : 1; // what has no value is last, either way
    if (a[0] === b[0])
      return Number(Boolean(b[2].isCeiling)) - Number(Boolean(a[2].isCeiling)) || a[1] - b[1];
    return (a[0] < b[0] ? -1 : 1) * (down ? -1 : 1);
  });
  return keyed.map(([, , row]) => row);
}

function sortBy(column) {
  const down =
    state.sort === column.key || (state.sort !== `-${column.key}` && column.number && !column.up);
  change({ sort: (down ? "-" : "") + column.key });
}

function headerCell(column, range) {
  if (column.key === "plot") {
    const { step, values } = ticks(...range, 5);
    const x = (value) => ((value - range[0]) / (range[1] - range[0])) * (PLOT.width - 8) + 4;
    return h(
      "th",
      { scope: "col", class: "plot" },
      h("span", { class: "hidden" }, "top-1 as a plot"),
      s(
        "svg",
        { width: PLOT.width, height: 18, viewBox: `0 0 ${PLOT.width} 18`, "aria-hidden": "true" },
        values.flatMap((value) => [
          s(
            "text",
            {
              x: Math.min(PLOT.width - 14, Math.max(14, x(value))),
              y: 11,
              "text-anchor": "middle",
            },
            tickText(value, step),
          ),
          s("line", { class: "axis", x1: x(value), x2: x(value), y1: 14, y2: 18 }),
        ]),
      ),
    );
  }
  const at = state.sort.replace(/^-/, "") === column.key;
  const order = at ? (state.sort.startsWith("-") ? "descending" : "ascending") : null;
  const button = h(
    "button",
    {
      type: "button",
      "data-sort": column.key,
      "aria-description": column.about,
      onclick: () => sortBy(column),
    },
    column.name.split(" ").flatMap((word, i) => [i ? " " : "", h("span", { class: "word" }, word)]),
    h(
      "span",
      { class: "arrow", "aria-hidden": "true" },
      order ? (order === "ascending" ? " ▲" : " ▼") : "",
    ),
  );
  if (column.about) explain(button, [column.name, column.about]);
  return h(
    "th",
    {
      scope: "col",
      class: column.number ? "number" : column.header ? "model" : null,
      "aria-sort": order,
    },
    h("div", { class: "head" }, button, termLink(column)),
  );
}

// The glossary knows the columns of the file. A column that the page makes names the one that it is
// made of, or a term.
function termLink(column) {
  const term = column.term ?? TERMS[column.of ?? column.key];
  if (!term || !byId(`term-${term}`)) return null;
  return h("a", {
    class: "term",
    href: addressOf({ ...state, view: "about", term }),
    "aria-label": `what ${column.name} means`,
  });
}

// What all rows share is not repeated in each.
function visibleColumns() {
  const there = COLUMNS.filter(
    (column) =>
      (!column.only || column.only === state.show) &&
      (!column.there || column.there()) &&
      (!column.fixed || (!state[column.fixed] && distinct(FIELD[column.fixed]).length > 1)),
  );
  if (!NARROW.matches) return there;
  const plain = there.filter((column) => !column.fixed);
  return [...plain.slice(0, 4), ...there.filter((column) => column.fixed), ...plain.slice(4)];
}

// A table of ten thousand rows takes a browser ten seconds, so a long one starts with its first part.
const FIRST_ROWS = 500;

function leaderboard(rows, complete = false) {
  const columns = visibleColumns();
  const { own, variants } = folded(rows);
  const range = accuracyRange(rows);
  const several = new Set(rows.map(groupOf)).size > 1;
  const line = (row, kind) =>
    h(
      "tr",
      { class: row.isCeiling ? "ceiling" : isControl(row) ? "control" : kind },
      columns.map((column) => {
        if (column.key === "plot") return h("td", { class: "plot" }, intervalPlot(row, range));
        const content = column.cell
          ? column.cell(row, variants.get(row.position))
          : (column.text(row) ?? NONE);
        return column.header
          ? h("th", { scope: "row", class: "model" }, content)
          : h("td", { class: column.number ? "number" : "name" }, content);
      }),
    );
  const lines = (some) =>
    (complete ? sorted(some) : sorted(some).slice(0, FIRST_ROWS)).map((row) => [
      line(row, null),
      isOpen(row.model)
        ? sorted(variants.get(row.position) ?? []).map((variant) => line(variant, "variant"))
        : [],
    ]);
  const controls = own.filter(isControl);
  const bodies = [
    h("tbody", null, lines(withCeilings(own).filter((row) => !isControl(row)))),
    controls.length
      ? h("tbody", null, partHeader(CONTROLS, columns.length), lines(controls))
      : null,
  ];
  const caption = `Accuracy in ${state.show === "share" ? "percent of what is achievable" : "percent"}, ${comparison()}.`;
  return h(
    "div",
    {
      class: several ? "scroll board several" : "scroll board",
      role: "region",
      "aria-label": "Leaderboard",
      tabindex: 0,
    },
    h(
      "table",
      null,
      h("caption", { class: "hidden" }, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          columns.map((column) => headerCell(column, range)),
        ),
      ),
      bodies.filter(Boolean),
    ),
  );
}

function comparison() {
  const parts = [
    state.family ? wordsOf("family", state.family) : ALL.family,
    state.test ? `tested on ${wordsOf("test_data", state.test)}` : ALL.test,
    state.scheme ? schemeName(state.scheme) : "both class schemes",
  ];
  return parts.join(", ");
}

// The answer at a glance, where rows can be compared.
function headline(rows) {
  const hasRank = (row) => row.rank_best !== null;
  const ranked = folded(rows).own.filter(hasRank);
  if (!ranked.length || new Set(ranked.map(groupOf)).size > 1) return null;
  const best = ranked.reduce((a, b) => (b.top1 > a.top1 ? b : a));
  const ties = ranked.filter((row) => row !== best && row.rank_best <= best.rank_best);
  const limit = boundOf(best);
  const gap = isNumber(limit) ? 100 * (best.top1 - limit) : null;
  const name = (row) => h("a", { href: modelAddress(row) }, row.model);
  const trained = (row) =>
    row !== best && row.train_set === best.train_set ? "" : ` (trained on: ${trainedShort(row)})`;
  const sentence = [
    h("strong", null, name(best)),
    trained(best),
    ` names ${percent(shown(best))} ${state.show === "share" ? "% of what is achievable" : "% right"} (95 % interval ${interval(best)}). `,
  ];
  if (gap !== null) {
    const [low, high] = [best.top1_low, best.top1_high];
    sentence.push(
      limit <= high && limit >= low
        ? `Its interval holds the ceiling of ${percent(limit)} %. `
        : gap < 0
          ? `That is ${fixed(-gap, 2)} points below the ceiling of ${percent(limit)} %. `
          : `That is ${fixed(gap, 2)} points above the ceiling of ${percent(limit)} %${low > highestCeiling(best) ? ": a reason to look for a leak" : ""}. `,
    );
  }
  if (!ties.length)
    sentence.push(ranked.length > 1 && best.rank_best === 1 ? "No other shares the first rank." : "");
  else {
    const few = ties.slice(0, 3);
    sentence.push(
      "The data cannot tell it from ",
      ...few.flatMap((row, i) => [i ? ", " : "", name(row), trained(row)]),
      ties.length > few.length ? ` and ${ties.length - few.length} more` : "",
      ".",
    );
  }
  const first = rows.filter(hasRank).reduce((a, b) => (b.top1 > a.top1 ? b : a));
  if (best.rank_best > 1 && !ranked.includes(first))
    sentence.push(
      ` A variant of ${first.model}, trained on ${trainedShort(first)}, names ${percent(shown(first))} %.`,
    );
  return h("p", { class: "headline" }, sentence);
}

function tableView() {
  const rows = filtered();
  if (!rows.length) return [nothing()];
  const about = sentenceOf("test_data", state.test);
  return [
    about ? h("p", { class: "soft" }, about) : null,
    headline(rows),
    leaderboard(rows),
    rows.length > FIRST_ROWS ? restOf(rows) : null,
    noBound(rows),
    exports(rows),
  ];
}

// Why some rows have neither share nor gap.
function noBound(rows) {
  const reasons = [...new Set(rows.map(whyNoBound))].filter(Boolean);
  if (!reasons.length) return null;
  const what =
    "A ceiling is then a mark to compare with, and no bound, so there is no share of it and no gap to it. The control that is told the class is left out there: it guesses evenly inside a class.";
  return h("p", { class: "soft" }, [...reasons, what].join(" "));
}

function restOf(rows) {
  const show = () => {
    const board = leaderboard(rows, true);
    document.querySelector(".board").replaceWith(board);
    line.remove();
    board.focus();
  };
  const button = h("button", { type: "button", onclick: show }, `Show all ${whole(rows.length)}`);
  const line = h("p", null, `The first ${FIRST_ROWS} rows are shown. `, button);
  return line;
}

const nothing = () =>
  h(
    "p",
    { class: "missing" },
    "No row fits these filters. ",
    h(
      "button",
      {
        type: "button",
        onclick: () => change({ ...DEFAULTS, view: state.view, train: "", test: "", scheme: "" }),
      },
      "Show more",
    ),
  );

// --- export --------------------------------------------------------------------------------------

function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// A text that a spreadsheet would take for a formula gets a quote in front.
function csvCell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? value.replace(/^(?=[=+\-@\t\r])/, "'") : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const plainRows = (rows) =>
  sorted(rows).map((row) => Object.fromEntries(COLUMN_NAMES.map((name) => [name, row[name]])));

function saveCsv(rows) {
  const lines = [COLUMN_NAMES, ...plainRows(rows).map((row) => Object.values(row))];
  save(
    "sgbench-leaderboard.csv",
    "text/csv",
    lines.map((line) => line.map(csvCell).join(",")).join("\n") + "\n",
  );
}

function saveJson(rows) {
  const content = {
    view: addressOf(state),
    leaderboard_sha256: INDEX.table_sha256,
    rows: plainRows(rows),
  };
  save("sgbench-leaderboard.json", "application/json", `${JSON.stringify(content, null, 1)}\n`);
}

const exports = (rows) =>
  h(
    "p",
    { class: "exports" },
    h("button", { type: "button", id: "csv", onclick: () => saveCsv(rows) }, "Save as CSV"),
    " ",
    h("button", { type: "button", id: "json", onclick: () => saveJson(rows) }, "Save as JSON"),
    " ",
    h(
      "span",
      { class: "soft" },
      `${rows.length} ${rows.length === 1 ? "row" : "rows"} with all columns, in this order, accuracies as fractions`,
    ),
  );

// --- cost ----------------------------------------------------------------------------------------

function costView() {
  const rows = filtered().filter((row) => !isControl(row));
  const { own } = folded(rows);
  const choice = h(
    "label",
    { class: "inline" },
    "Cost ",
    h(
      "select",
      { id: "cost", onchange: (event) => change({ cost: event.target.value }) },
      Object.entries(COSTS).map(([key, name]) =>
        h("option", { value: key, selected: key === state.cost }, name),
      ),
    ),
  );
  if (!rows.length) return [nothing()];
  return [
    h("p", null, choice),
    costPlot(state.variants === "yes" ? rows : own, state.cost),
    noBound(rows),
  ];
}
