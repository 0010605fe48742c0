// The table, and what belongs to one model, read from the data that the page carries.

const parsed = (id) => JSON.parse(byId(id).textContent);
const INDEX = parsed("index");
const TERMS = parsed("terms");
const K = [1, 2, 3, 4, 5];
const COLUMN_NAMES = Object.keys(INDEX.columns);

const ROWS = (() => {
  const getters = COLUMN_NAMES.map((name) => {
    const column = INDEX.columns[name];
    return column.numbers ? (i) => column.numbers[i] : (i) => column.texts[column.index[i]];
  });
  return Array.from({ length: INDEX.n_rows }, (_, i) => {
    const row = { position: i };
    COLUMN_NAMES.forEach((name, j) => {
      row[name] = getters[j](i);
    });
    row.milliseconds = row.patterns_per_second > 0 ? 1000 / row.patterns_per_second : null;
    return row;
  });
})();

// Rows of one test set's name may be of different data, which are never shown as one. The most
// frequent source keeps the name, and so does the most frequent checksum of a source; others add
// their own.
{
  const commonest = (keyOf, valueOf) => {
    const counts = new Map();
    for (const row of ROWS) {
      if (!counts.has(keyOf(row))) counts.set(keyOf(row), new Map());
      const same = counts.get(keyOf(row));
      same.set(valueOf(row), (same.get(valueOf(row)) ?? 0) + 1);
    }
    return (row) => [...counts.get(keyOf(row))].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  };
  const sourceOf = (row) => row.source ?? "unrecorded";
  const checksumOf = (row) => row.test_sha256 ?? "unknown";
  const source = commonest((row) => row.test_set, sourceOf);
  const checksum = commonest(
    (row) => JSON.stringify([row.scale, row.family, row.test_set, row.source]),
    checksumOf,
  );
  for (const row of ROWS) {
    const own = [];
    if (sourceOf(row) !== source(row)) own.push(sourceOf(row));
    if (checksumOf(row) !== checksum(row)) own.push(checksumOf(row).slice(0, 8));
    row.test_data = own.length ? `${row.test_set} (${own.join(", ")})` : row.test_set;
  }
}

const distinct = (name, rows = ROWS) =>
  [...new Set(rows.map((row) => row[name]))].filter((x) => x !== null);
const groupOf = (row) =>
  JSON.stringify([
    row.scale, row.family, row.test_set, row.source, row.test_sha256, row.class_scheme,
  ]);
const isControl = (row) => row.status === "control";
const SCHEME_NAMES = { extinction: "extinction classes", spacegroup: "space groups" };
const schemeName = (scheme) => SCHEME_NAMES[scheme] ?? scheme;

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

// On structures intensities tell more than absences do, and so do cells in some designed sets.
const isBound = (row) =>
  row.class_scheme === "extinction" ||
  (row.source === "designed" &&
    row.data_ceiling_top1 !== null &&
    !(row.data_ceiling_top1 > row.ceiling_top1 + 1e-6));
const highestCeiling = (row) =>
  Math.max(...INDEX.ceilings.map(([stem]) => row[`${stem}_top1`] ?? 0));

const ceilingOf = (row, k = 1) => row[`${state.ceiling}_top${k}`] ?? null;

// An accuracy as it is, or as a share of what is achievable; `end` is "", "_low" or "_high".
function shown(row, k = 1, end = "") {
  const value = row[`top${k}${end}`];
  if (state.show !== "share" || value === null) return value;
  const limit = ceilingOf(row, k);
  return limit ? value / limit : null;
}
const shownCeiling = (row, k = 1) =>
  state.show === "share" ? (ceilingOf(row, k) ? 1 : null) : ceilingOf(row, k);
const interval = (row, k = 1) => {
  const [low, high] = [shown(row, k, "_low"), shown(row, k, "_high")];
  return isNumber(low) && isNumber(high) ? `${percent(low)}–${percent(high)}` : "";
};
const unit = () => (state.show === "share" ? "% of achievable" : "%");
const ceilingName = () => INDEX.ceilings.find(([stem]) => stem === state.ceiling)[1];
const rankText = (row) =>
  row.rank_best === null
    ? NONE
    : row.rank_best === row.rank_worst
      ? `${row.rank_best}`
      : `${row.rank_best}–${row.rank_worst}`;
