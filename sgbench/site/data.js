// The table, and what belongs to one model, read from the data that the page carries.

const parsed = (id) => JSON.parse(byId(id).textContent);
const INDEX = parsed("index");
const TERMS = parsed("terms");
const K = [1, 2, 3, 4, 5];
const COLUMN_NAMES = Object.keys(INDEX.columns);

const valuesOf = ({ numbers, texts, index }) =>
  numbers ? (i) => numbers[i] : (i) => texts[index[i]];
const ROWS = (() => {
  const getters = COLUMN_NAMES.map((name) => valuesOf(INDEX.columns[name]));
  const testData = valuesOf(INDEX.test_data);
  const again = valuesOf(INDEX.again);
  const noBound = valuesOf(INDEX.no_bound);
  return Array.from({ length: INDEX.n_rows }, (_, i) => {
    const row = {
      position: i,
      test_data: testData(i),
      variant_of: INDEX.variant_of[i],
      again: again(i),
      no_bound: noBound(i),
    };
    COLUMN_NAMES.forEach((name, j) => {
      row[name] = getters[j](i);
    });
    row.milliseconds = row.patterns_per_second > 0 ? 1000 / row.patterns_per_second : null;
    return row;
  });
})();

// What a value of a column is called, and a sentence that says what it is.
const wordsOf = (name, value) => INDEX.names[name]?.[value]?.[0] ?? value;
const sentenceOf = (name, value) => INDEX.names[name]?.[value]?.[1] ?? "";
const familyOf = (row) => wordsOf("family", row.family);
const trainedOn = (row) => wordsOf("train_set", row.train_set);
// Without the family of the row.
const trainedShort = (row) =>
  trainedOn(row)
    .split(", ")
    .filter((part) => part !== familyOf(row))
    .join(", ");
const testedOn = (row) => wordsOf("test_data", row.test_data);

const distinct = (name, rows = ROWS) =>
  [...new Set(rows.map((row) => row[name]))].filter((x) => x !== null);
const groupOf = (row) =>
  JSON.stringify([
    row.scale, row.family, row.test_set, row.source, row.test_sha256, row.class_scheme,
  ]);
const isControl = (row) => row.status === "control";
const schemeName = (scheme) => INDEX.schemes[scheme];

function once(make) {
  let value;
  return () => (value ??= make());
}
const differences = once(() => parsed("differences"));
const details = new Map();
function detailOf(row) {
  const place = INDEX.models.indexOf(row.model);
  if (!details.has(place)) details.set(place, parsed(`model-${place}`));
  return details.get(place)[row.position] ?? null;
}

// Why the chosen ceiling is a mark to compare with on a row's patterns, and no bound; empty where it
// is one.
function whyNoBound(row) {
  if (state.ceiling in INDEX.marks) return INDEX.marks[state.ceiling];
  if (state.ceiling === "ceiling") return row.no_bound;
  const unknown = row.class_scheme === "spacegroup" && !isNumber(ceilingOf(row));
  return unknown ? "This ceiling is not known of these patterns." : "";
}
const isBound = (row) => !whyNoBound(row);
const highestCeiling = (row) =>
  Math.max(...INDEX.ceilings.map(([stem]) => row[`${stem}_top1`] ?? 0));

const ceilingOf = (row, k = 1) => row[`${state.ceiling}_top${k}`] ?? null;
const boundOf = (row, k = 1) => (isBound(row) ? ceilingOf(row, k) : null);

// An accuracy as it is, or as a share of what is achievable; `end` is "", "_low" or "_high".
function shown(row, k = 1, end = "") {
  const value = row[`top${k}${end}`];
  if (state.show !== "share" || value === null) return value;
  const limit = boundOf(row, k);
  return limit ? value / limit : null;
}
const shownCeiling = (row, k = 1) =>
  state.show === "share" ? (boundOf(row, k) ? 1 : null) : ceilingOf(row, k);
// The ceiling that stands beside an accuracy. That of the laws says nothing of classes, so where it is
// chosen the one of the data does. A share needs none.
const limitOf = (row) =>
  state.show === "share"
    ? null
    : state.ceiling === "ceiling"
      ? (row.data_ceiling_top1 ?? row.bayes_top1 ?? null)
      : ceilingOf(row);
const interval = (row, k = 1) => {
  const [low, high] = [shown(row, k, "_low"), shown(row, k, "_high")];
  return isNumber(low) && isNumber(high) ? `${percent(low)}–${percent(high)}` : "";
};
const unit = () => (state.show === "share" ? "% of achievable" : "%");
const ceilingName = () => INDEX.ceilings.find(([stem]) => stem === state.ceiling)[1];
const SMALL = 500;
const isSmall = (row) => (row.n_clusters ?? row.n_test) < SMALL;

// Variants of rows that are there fold under these.
function folded(rows) {
  const there = new Set(rows.map((row) => row.position));
  const variants = new Map();
  const own = rows.filter((row) => {
    if (!there.has(row.variant_of)) return true;
    variants.set(row.variant_of, [...(variants.get(row.variant_of) ?? []), row]);
    return false;
  });
  return { own, variants };
}
const isOpen = (model) => state.variants === "yes" || state.open === model;
const rankText = (row) =>
  row.rank_best === null
    ? NONE
    : row.rank_best === row.rank_worst
      ? `${row.rank_best}`
      : `${row.rank_best}–${row.rank_worst}`;
