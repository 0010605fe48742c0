// Filters, address, theme: what holds the views together.

const TITLES = { ...VIEWS, model: "Model" };
const LABELS = {
  scale: "Scale",
  family: "Track (family)",
  test: "Tested on",
  scheme: "Classes",
  train: "Trained on",
};
const ALL = {
  scale: "any scale",
  family: "any family",
  test: "any test set",
  scheme: "both",
  train: "any training set",
};
// What a view has no use for, since it shows all of it.
const UNUSED = {
  overview: ["family", "test", "scheme", "train"],
  matrix: ["test"],
  conditions: ["scale", "test", "scheme", "train", "show", "ceiling", "controls", "variants"],
};

function buildFilters() {
  const place = byId("filters");
  for (const key of FILTERS) {
    const values = distinct(FIELD[key]).filter((value) => key !== "train" || value !== "none");
    if (key === "scale" && values.length < 2) continue;
    place.append(
      h(
        "label",
        null,
        LABELS[key],
        h(
          "select",
          { id: `f-${key}`, onchange: (event) => change({ [key]: event.target.value }) },
          h("option", { value: "" }, ALL[key]),
          values.map((value) =>
            h(
              "option",
              { value },
              key === "scheme" ? schemeName(value) : wordsOf(FIELD[key], value),
            ),
          ),
        ),
      ),
    );
  }
  place.append(
    h(
      "label",
      null,
      "Model",
      h("input", {
        id: "f-q",
        type: "search",
        placeholder: "part of a name",
        autocomplete: "off",
        spellcheck: "false",
        oninput: (event) => change({ q: event.target.value }),
      }),
    ),
  );
  const radios = (key, legend, choices) =>
    h(
      "fieldset",
      null,
      h("legend", null, legend),
      choices.map(([value, text]) =>
        h(
          "label",
          null,
          h("input", { type: "radio", name: key, value, onchange: () => change({ [key]: value }) }),
          text,
        ),
      ),
    );
  place.append(
    radios("show", "Accuracy", [
      ["accuracy", "as it is"],
      ["share", "share of achievable"],
    ]),
  );
  if (INDEX.ceilings.length > 1) {
    place.append(
      h(
        "label",
        null,
        "Ceiling",
        h(
          "select",
          { id: "f-ceiling", onchange: (event) => change({ ceiling: event.target.value }) },
          INDEX.ceilings.map(([stem, name]) => h("option", { value: stem }, name)),
        ),
      ),
    );
  }
  for (const [key, there] of [
    ["controls", ROWS.some(isControl)],
    ["variants", ROWS.some((row) => row.variant_of !== null)],
  ]) {
    if (!there) continue;
    place.append(
      h(
        "label",
        { class: "check" },
        h("input", {
          id: `f-${key}`,
          type: "checkbox",
          onchange: (event) => change({ [key]: event.target.checked ? "yes" : "no" }),
        }),
        key,
      ),
    );
  }
}

const isUnused = (key) => Boolean(UNUSED[state.view]?.includes(key));

function syncFilters() {
  for (const key of FILTERS) {
    const select = byId(`f-${key}`);
    if (!select) continue;
    select.value = state[key];
    select.parentElement.hidden = isUnused(key);
    explain(select, [sentenceOf(FIELD[key], state[key])]);
    if (!select.dataset.hint) delete select.dataset.hint;
  }
  if (byId("f-q") !== document.activeElement || byId("f-q").value !== state.q)
    byId("f-q").value = state.q;
  for (const radio of document.querySelectorAll("input[name=show]"))
    radio.checked = radio.value === state.show;
  document.querySelector("input[name=show]").closest("fieldset").hidden = isUnused("show");
  if (byId("f-ceiling")) byId("f-ceiling").value = state.ceiling;
  for (const key of ["controls", "variants"])
    if (byId(`f-${key}`)) byId(`f-${key}`).checked = state[key] === "yes";
  for (const key of ["ceiling", "controls", "variants"])
    if (byId(`f-${key}`)) byId(`f-${key}`).parentElement.hidden = isUnused(key);
}

function buildNavigation() {
  byId("views").append(
    ...Object.entries(VIEWS).map(([view, name]) =>
      h("li", null, h("a", { id: `to-${view}` }, name)),
    ),
  );
}

function syncNavigation() {
  for (const view of Object.keys(VIEWS)) {
    const link = byId(`to-${view}`);
    link.setAttribute("href", addressOf({ ...state, view, term: "" }));
    if (state.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  for (const link of byId("about").querySelectorAll("[data-term]"))
    link.setAttribute("href", addressOf({ ...state, view: "about", term: link.dataset.term }));
}

const RENDER = {
  overview: overviewView,
  table: tableView,
  cost: costView,
  matrix: matrixView,
  conditions: conditionsView,
  model: modelView,
  about: () => [],
};

// What was focused stays so, though the table around it is made anew.
function keepFocus(draw) {
  const { id, dataset } = document.activeElement ?? {};
  draw();
  const alike = ([name, value]) => document.querySelector(`[data-${name}="${CSS.escape(value)}"]`);
  const named = Object.entries(dataset ?? {}).find(([name]) => name === "sort" || name === "fold");
  const again = named ? alike(named) : id ? byId(id) : null;
  if (again && again !== document.activeElement) again.focus({ preventScroll: true });
}

function render() {
  hideHint();
  const isAbout = state.view === "about";
  byId("filter-box").hidden = isAbout || state.view === "model";
  byId("about").hidden = !isAbout;
  byId("title").hidden = state.view === "model" || isAbout;
  byId("title").textContent = state.view === "table" ? comparison() : TITLES[state.view];
  keepFocus(() => byId("view").replaceChildren(...RENDER[state.view]().filter(Boolean)));
  syncFilters();
  syncNavigation();
  const subject = state.view === "model" ? state.model : TITLES[state.view];
  document.title = `${subject} – sgbench`;
  const n = state.view === "table" ? filtered().length : null;
  byId("said").textContent =
    n === null
      ? subject
      : `${n} ${n === 1 ? "row" : "rows"}, sorted by ${COLUMN[state.sort.replace(/^-/, "")]?.name ?? "default"}`;
}

// Go to a term of the glossary, where the address names one.
function showTerm() {
  const place = state.view === "about" && state.term ? byId(`term-${state.term}`) : null;
  place?.scrollIntoView();
  place?.focus({ preventScroll: true });
  return Boolean(place);
}

function follow() {
  const before = state;
  state = readAddress(location.hash);
  render();
  if (showTerm()) return;
  if (before.view === state.view && before.model === state.model) return;
  scrollTo(0, 0);
  const heading = [...document.querySelectorAll("main h2")].find((one) => one.offsetParent);
  heading?.focus({ preventScroll: true });
}

// --- light and dark ------------------------------------------------------------------------------

const THEMES = { auto: "as the system", light: "light", dark: "dark" };
const memory = {
  get: () => {
    try {
      return localStorage.getItem("sgbench-theme");
    } catch {
      return null;
    }
  },
  set: (value) => {
    try {
      localStorage.setItem("sgbench-theme", value);
    } catch {
      /* not allowed to */
    }
  },
};

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  byId("theme").value = theme;
}

function start() {
  setTheme(memory.get() in THEMES ? memory.get() : "auto");
  byId("theme").addEventListener("change", (event) => {
    setTheme(event.target.value);
    memory.set(event.target.value);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideHint();
  });
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  byId("about").addEventListener("click", (event) => {
    // The address is there already, so it does not change.
    if (event.target.closest("[data-term]")?.hash === location.hash) showTerm();
  });
  addEventListener("scroll", moveHint, { passive: true, capture: true });
  addEventListener("hashchange", follow);
  // A phone shows results first; where there is room, filters are always open.
  const openFilters = () => {
    byId("filter-box").open = !NARROW.matches;
  };
  NARROW.addEventListener("change", () => {
    openFilters();
    render();
  });
  openFilters();
  buildFilters();
  buildNavigation();
  state = readAddress(location.hash);
  render();
  showTerm();
}

start();
