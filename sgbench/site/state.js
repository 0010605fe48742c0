// What is shown. It rests in the fragment of the address, so a view can be sent to somebody.

const VIEWS = {
  overview: "Overview",
  table: "Leaderboard",
  cost: "Accuracy and cost",
  matrix: "Generalization",
  ...(INDEX.conditions.lines.length ? { conditions: "Conditions" } : {}),
  about: "How to read it",
};
const FILTERS = ["scale", "family", "test", "scheme", "train"];
const FIELD = {
  scale: "scale",
  family: "family",
  test: "test_data",
  scheme: "class_scheme",
  train: "train_set",
};
const COSTS = {
  parameters: "parameters",
  train_patterns: "training patterns",
  train_seconds: "training seconds",
  milliseconds: "milliseconds a prediction",
};

const DEFAULTS = (() => {
  const first = (name, wanted) => (distinct(name).includes(wanted) ? wanted : distinct(name)[0]);
  return {
    view: "overview",
    model: "",
    scale: INDEX.overview[0].scale,
    family: distinct("family")[0],
    test: first("test_data", "ulbd-off-mesh"),
    scheme: first("class_scheme", "extinction"),
    train: "",
    q: "",
    sort: "-top1",
    show: "accuracy",
    ceiling: INDEX.ceilings[0][0],
    controls: "yes",
    variants: "no",
    open: "",
    cost: "train_patterns",
    term: "",
  };
})();

const CHOICES = {
  show: ["accuracy", "share"],
  controls: ["yes", "no"],
  variants: ["yes", "no"],
  cost: Object.keys(COSTS),
  ceiling: INDEX.ceilings.map(([stem]) => stem),
};

let state = { ...DEFAULTS };

function readAddress(fragment) {
  const [path, query = ""] = fragment.replace(/^#\/?/, "").split(/\?(.*)/s);
  const found = { ...DEFAULTS };
  const [view, name] = path.split(/\/(.*)/s);
  if (view === "model" && name !== undefined) {
    let model = name;
    try {
      model = decodeURIComponent(name);
    } catch {
      /* a half-typed address; taken as it is */
    }
    Object.assign(found, { view: "model", model });
  } else if (view in VIEWS) found.view = view;
  for (const [key, value] of new URLSearchParams(query)) {
    if (FILTERS.includes(key)) {
      if (value === "" || distinct(FIELD[key]).includes(value)) found[key] = value;
    } else if (key in CHOICES) {
      if (CHOICES[key].includes(value)) found[key] = value;
    } else if (["q", "sort", "open", "term"].includes(key)) found[key] = value;
  }
  return found;
}

// What is compared is always named, since the defaults follow the data.
function addressOf(wanted) {
  const query = new URLSearchParams();
  for (const key of FILTERS) if (key !== "train" || wanted.train) query.set(key, wanted[key]);
  for (const key of ["q", "sort", "open", "term", ...Object.keys(CHOICES)]) {
    if (wanted[key] !== DEFAULTS[key]) query.set(key, wanted[key]);
  }
  const path = wanted.view === "model" ? `model/${encodeURIComponent(wanted.model)}` : wanted.view;
  return `#/${path}?${query}`;
}

function change(changes) {
  state = { ...state, ...changes };
  history.replaceState(null, "", addressOf(state));
  render();
}

const modelAddress = (row) =>
  addressOf({
    ...state,
    view: "model",
    term: "",
    model: row.model,
    scale: row.scale,
    family: row.family,
    test: row.test_data,
    scheme: row.class_scheme,
    train: row.train_set,
  });

function isWanted({ model }) {
  const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => model.toLowerCase().includes(word));
}

// The rows that the filters leave; `without` names filters that a view does not have. The control
// that is told the class would not land on a mark, so it does not stand beside one.
function filtered(without = []) {
  return ROWS.filter(
    (row) =>
      FILTERS.every(
        (key) =>
          !state[key] ||
          without.includes(key) ||
          row[FIELD[key]] === state[key] ||
          // Controls were trained on nothing and stand beside every training set.
          (key === "train" && isControl(row)),
      ) &&
      isWanted(row) &&
      (state.controls === "yes" || !isControl(row)) &&
      (row.model !== INDEX.oracle || isBound(row)),
  );
}
