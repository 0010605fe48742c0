// The page of one model.

const definition = (pairs) =>
  h(
    "dl",
    null,
    pairs
      .filter(
        ([, value]) => value !== null && value !== undefined && value !== "" && value !== NONE,
      )
      .flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]),
  );
const section = (title, ...children) => h("section", null, h("h3", null, title), ...children);
const condition = (texts) => (texts.length ? texts.join("; ") : "none");

function modelView() {
  const mine = ROWS.filter((row) => row.model === state.model);
  if (!mine.length) {
    return [
      h("h2", { tabindex: -1 }, "No such model"),
      h(
        "p",
        null,
        `The leaderboard has no model called “${state.model}”. `,
        h("a", { href: addressOf({ ...state, view: "table" }) }, "Back to the leaderboard"),
      ),
    ];
  }
  const row =
    mine.find((one) => FILTERS.every((key) => !state[key] || one[FIELD[key]] === state[key])) ??
    mine.find((one) =>
      ["family", "test", "scheme"].every((key) => !state[key] || one[FIELD[key]] === state[key]),
    ) ??
    mine[0];
  return [
    h("p", null, h("a", { href: addressOf({ ...state, view: "table" }) }, "← Leaderboard")),
    h("h2", { tabindex: -1, class: "model-name" }, row.model, " ", badge(row)),
    about(row),
    isUnder(row.model)
      ? h(
          "p",
          null,
          h(
            "a",
            { href: addressOf({ ...state, view: "conditions", family: row.family, q: row.model }) },
            "Under conditions of measurement",
          ),
        )
      : null,
    resultChoice(mine, row),
    h(
      "div",
      { class: "columns" },
      h(
        "div",
        null,
        section("In numbers", standing(row), noBound([row])),
        section("Calibration", calibration(row)),
      ),
      section("Top-1 to top-5 against the ceiling", topKCurve(row)),
    ),
    generalization(mine, row),
    byClass(row),
    confusionMatrix(row),
    again(row),
    chain(row),
  ];
}

function about(row) {
  if (isControl(row))
    return h(
      "p",
      null,
      `Control: ${INDEX.controls[row.model] ?? "a prediction without training"}.`,
    );
  return definition([
    // A model may be called "constructor".
    ["described in", Object.hasOwn(INDEX.papers, row.model) ? INDEX.papers[row.model] : null],
    ["status", row.status],
  ]);
}

function resultChoice(mine, row) {
  const name = (one) =>
    [
      distinct("scale").length > 1 ? one.scale : null,
      familyOf(one),
      `${trainedOn(one)} → ${testedOn(one)}`,
      schemeName(one.class_scheme),
    ]
      .filter(Boolean)
      .join(" · ");
  return h(
    "p",
    null,
    h(
      "label",
      { class: "inline" },
      "Result ",
      h(
        "select",
        {
          id: "result",
          onchange: (event) => {
            const one = ROWS[event.target.value];
            change({
              scale: one.scale,
              family: one.family,
              test: one.test_data,
              scheme: one.class_scheme,
              train: one.train_set,
            });
          },
        },
        mine.map((one) => h("option", { value: one.position, selected: one === row }, name(one))),
      ),
    ),
  );
}

const LEAD_TESTS = {
  paired: "tested sample by sample",
  intervals: "by intervals alone, which find less",
};

function standing(row) {
  const rivals = ROWS.filter((one) => groupOf(one) === groupOf(row) && !isControl(one)).length;
  const limit = ceilingOf(row);
  return definition([
    ["top-1", `${percent(shown(row))} ${unit()} (95 % interval ${interval(row)})`],
    ["rank", row.rank_best === null ? null : `${rankText(row)} of ${rivals}`],
    ["lead over next", isNumber(row.lead) ? [leadCell(row), ` over ${row.next_model}, ${LEAD_TESTS[row.lead_test]}`] : null],
    [
      "ceiling",
      isNumber(limit)
        ? `${percent(limit)} % (${ceilingName()}${isBound(row) ? `), ${signed(100 * gapOf(row), 2)} points` : "; here a mark, no bound)"}`
        : null,
    ],
    ["balanced accuracy", `${percent(row.balanced_accuracy)} %`],
    ["regret", isNumber(row.regret) ? `${fixed(row.regret, 3)} nats` : null],
    [
      "test set",
      `${whole(row.n_test)} samples (${row.source})${row.n_clusters < row.n_test ? ` in ${whole(row.n_clusters)} independent groups` : ""}`,
    ],
    [
      "seeds",
      isNumber(row.top1_seed_sd)
        ? `${row.seeds}, spread ${fixed(100 * row.top1_seed_sd, 2)} points`
        : whole(row.seeds),
    ],
    ["parameters", row.parameters ? whole(row.parameters) : null],
    [
      "training",
      row.train_patterns
        ? [
            `${whole(row.train_patterns)} patterns`,
            isNumber(row.train_seconds) ? ` in ${whole(row.train_seconds)} s` : "",
            row.train_seconds > 0
              ? ` (${short(row.train_patterns / row.train_seconds)} a second)`
              : "",
            row.hardware ? ` on ${row.hardware}` : "",
          ].join("")
        : null,
    ],
    [
      "prediction",
      isNumber(row.patterns_per_second)
        ? `${short(row.patterns_per_second)} patterns a second`
        : null,
    ],
  ]);
}

function calibration(row) {
  const rivals = ROWS.filter(
    (one) => groupOf(one) === groupOf(row) && !isControl(one) && isNumber(one.ece),
  );
  if (!isNumber(row.ece))
    return h("p", { class: "missing" }, "The calibration error is not known.");
  const better = rivals.filter((one) => one.ece < row.ece).length;
  const most = Math.max(...rivals.map((one) => one.ece), row.ece, 0.01);
  const x = (value) => 8 + (value / most) * 264;
  const strip = s(
    "svg",
    {
      viewBox: "0 0 280 52",
      class: "chart strip",
      role: "img",
      "aria-label": `Calibration errors of ${rivals.length} rows, this one ${fixed(100 * row.ece, 2)} points`,
    },
    s("line", { class: "axis", x1: 8, x2: 272, y1: 20, y2: 20 }),
    rivals.map((one) =>
      s("circle", {
        class: one === row ? "mark" : "mark control",
        cx: x(one.ece),
        cy: 20,
        r: one === row ? 6 : 4,
      }),
    ),
    s("text", { x: 8, y: 44 }, "0"),
    s("text", { x: 272, y: 44, "text-anchor": "end" }, `${fixed(100 * most, 1)} points`),
  );
  return h(
    "div",
    null,
    h(
      "p",
      null,
      "Expected calibration error ",
      h("strong", null, `${fixed(100 * row.ece, 2)} points`),
      ": so far the stated probability of the first guess is from how often it is right, on average over 15 bins.",
    ),
    detailOf(row)?.calibration?.length
      ? reliability(detailOf(row).calibration, row.model)
      : h(
          "p",
          { class: "missing" },
          "The scores that hold its bins were not given when the page was made.",
        ),
    strip,
    rivals.length > 1 && !isControl(row)
      ? h(
          "p",
          { class: "soft" },
          `${better ? `${better} of ${rivals.length} rows are better calibrated` : `The best calibrated of ${rivals.length} rows`}. Each dot is one.`,
        )
      : null,
  );
}

function generalization(mine, row) {
  const rows = mine.filter(
    (one) =>
      one.scale === row.scale && one.family === row.family && one.class_scheme === row.class_scheme,
  );
  if (rows.length < 2) return null;
  const caption = `Trained on, tested on: top-1 (${unit()}), ${familyOf(row)}, ${schemeName(row.class_scheme)}`;
  return section(
    "Generalization",
    h("p", { class: "soft" }, `${caption}.`),
    matrixOf(rows, caption),
  );
}

const ofClasses = (row) => {
  const sibling =
    row.class_scheme === "extinction"
      ? row
      : ROWS.find(
          (one) =>
            one.class_scheme === "extinction" &&
            one.model === row.model &&
            one.scale === row.scale &&
            one.family === row.family &&
            one.test_data === row.test_data &&
            one.train_set === row.train_set,
        );
  return sibling ? detailOf(sibling) : null;
};

function byClass(row) {
  const detail = ofClasses(row);
  if (!detail?.by_class)
    return section(
      "Extinction classes",
      h(
        "p",
        { class: "missing" },
        "The scores behind this row were not given when the page was made.",
      ),
    );
  const classes = INDEX.classes[row.family];
  const rows = [...detail.by_class]
    .sort((a, b) => a[3] - b[3])
    .map(([i, n, clusters, top, low, high]) => [
      classes[i].symbol,
      `${percent(top)} (${percent(low)}–${percent(high)})`,
      n === clusters ? whole(n) : `${whole(n)} in ${whole(clusters)}`,
      condition(classes[i].conditions),
      classes[i].spacegroups.join(", "),
    ]);
  return section(
    "Extinction classes, the hardest first",
    table(
      `How often the class is right, in percent with 95 % intervals, ${familyOf(row)}, ${testedOn(row)}`,
      ["class", "right (95 %)", "n", "reflection conditions", "space groups"],
      rows,
      { class: "scroll tall" },
    ),
  );
}

function confusionMatrix(row) {
  const detail = ofClasses(row);
  if (!detail?.by_class || isControl(row)) return null;
  if (!detail.confusions.length)
    return section("Confusions", h("p", null, "No class was taken for another."));
  const classes = INDEX.classes[row.family];
  const words = differences()[row.family] ?? {};
  const cells = new Map();
  for (const [i, n, , top] of detail.by_class)
    cells.set(
      `${i},${i}`,
      gridCell("", top, [
        `${classes[i].symbol} recognised: ${percent(top)} % of ${whole(n)}`,
        `conditions: ${condition(classes[i].conditions)}`,
      ]),
    );
  for (const [i, j, n, total] of detail.confusions) {
    const [missed, invented] = words[`${i},${j}`] ?? [[], []];
    const lines = [
      `${classes[i].symbol} taken for ${classes[j].symbol}`,
      `${whole(n)} of ${whole(total)} (${percent(n / total)} %)`,
      missed.length ? `missed ${missed.join("; ")}` : "",
      invented.length ? `invented ${invented.join("; ")}` : "",
    ];
    cells.set(`${i},${j}`, gridCell("", Math.sqrt(n / total), lines, { kind: "wrong" }));
  }
  const names = classes.map((one) => one.symbol);
  const listed = detail.confusions.reduce((sum, [, , n]) => sum + n, 0);
  const caption = `True classes in lines, guesses in columns, ${familyOf(row)}, ${testedOn(row)}`;
  return section(
    "Confusions",
    h(
      "p",
      { class: "soft" },
      `${caption}. Hover, tap or use arrow keys for the reflection conditions that a confusion misses or invents; a stronger colour is a larger share of the true class. ` +
        (detail.n_confusions > detail.confusions.length
          ? `Shown are the ${detail.confusions.length} most frequent of ${detail.n_confusions} confusions, ${percent(listed / detail.n_wrong)} % of wrong answers.`
          : `All ${detail.n_confusions} confusions are shown.`),
    ),
    grid(
      caption,
      h("tr", null, h("td"), names.map((name) => h("th", { scope: "col" }, h("span", null, name)))),
      h(
        "tbody",
        null,
        names.map((name, i) =>
          h(
            "tr",
            null,
            h("th", { scope: "row" }, name),
            names.map((_, j) => cells.get(`${i},${j}`) ?? h("td")),
          ),
        ),
      ),
      names.length > 40 ? "confusions many" : "confusions",
    ),
    table(
      "The most frequent confusions",
      ["confusion", "n", "share of the class", "conditions missed", "conditions invented"],
      detail.confusions.slice(0, 12).map(([i, j, n, total]) => {
        const [missed, invented] = words[`${i},${j}`] ?? [[], []];
        return [
          `${classes[i].symbol} taken for ${classes[j].symbol}`,
          `${whole(n)} of ${whole(total)}`,
          `${percent(n / total)} %`,
          missed.join("; ") || NONE,
          invented.join("; ") || NONE,
        ];
      }),
    ),
  );
}

// What a reviewer types to get the row again.
function again(row) {
  const nobody = row.commit
    ? "It was not made by the workflow from the data that everybody has."
    : "It does not say by which committed code it was made.";
  return section(
    "Make this row again",
    row.again
      ? h(
          "div",
          { class: "again" },
          h("code", null, row.again),
          copyButton(row.again, `copy the command that makes this row of ${row.model} again`),
        )
      : h("p", null, `No command makes this row again. ${nobody}`),
    h(
      "p",
      { class: "soft" },
      [
        row.again
          ? "For a shell in a clone of the project. It works in a folder beside the clone, which it makes first; where that is there already, git says so, and nothing is done. It makes the rows of this model alone; identity and checksums are those of this row where the processor rounds alike."
          : "",
        row.commit ? `Commit ${row.commit}.` : "",
        row.lock_sha256 ? `Environment: requirements.lock with SHA-256 ${row.lock_sha256}.` : "",
        `${whole(row.seeds)} ${row.seeds === 1 ? "seed" : "seeds"}.`,
        isNumber(row.train_seconds) && row.train_seconds > 0
          ? `Its training took ${whole(row.train_seconds)} s on ${row.hardware}.`
          : "",
      ]
        .filter(Boolean)
        .join(" "),
    ),
  );
}

// dataset → predictions → scorer → row, each link a hash or a version.
function chain(row) {
  const files = detailOf(row)?.files ?? [];
  const hash = (text) => h("code", null, text);
  const link = (name, ...content) => h("li", null, h("b", null, name), h("span", null, content));
  const predictions = (row.predictions_sha256 ?? "").split(" ").filter(Boolean);
  return section(
    "Provenance",
    h(
      "ol",
      { class: "chain" },
      link(
        "training set",
        `${row.train_set} `,
        row.dataset_sha256 ? hash(row.dataset_sha256) : "nothing was trained",
      ),
      link("test set", `${row.test_data} `, row.test_sha256 ? hash(row.test_sha256) : "no hash"),
      link(
        "predictions",
        predictions.length ? predictions.map((text) => [hash(text), " "]).flat() : "no hash",
      ),
      link("scorer", `sgbench ${row.sgbench_version ?? "of an unknown version"}`),
      ...files.map((file) =>
        link(
          "score",
          file.seed === null ? "" : `seed ${file.seed} `,
          hash(file.score),
          ` top-1 ${percent(file.top[0])} %`,
        ),
      ),
      link("row", `line ${INDEX.lines[row.position]} of the leaderboard `, hash(INDEX.table_sha256)),
    ),
    h(
      "p",
      { class: "soft" },
      "SHA-256 of the dataset’s recipe or content, of the test set’s samples, and of the files.",
    ),
  );
}
