// Elements and numbers. Text always enters the page as text: nothing here parses markup.

const SVG = "http://www.w3.org/2000/svg";
const NONE = "–";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style")
      for (const [key, text] of Object.entries(value)) node.style.setProperty(key, text);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);
const NARROW = matchMedia("(max-width: 45rem)");
const byId = (id) => document.getElementById(id);

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
// A number that is not 0 never prints as 0, unless it is so small that it came by rounding.
function fixed(value, digits) {
  if (!isNumber(value)) return NONE;
  const [size, least] = [Math.abs(value), 10 ** -digits];
  return (size > 1e-6 && size < least ? Math.sign(value) * least : value).toFixed(digits);
}
// A difference in points. What the table, with six digits a number, cannot tell from 0 has no sign.
const SAME = 2e-4;
function signed(value, digits) {
  if (!isNumber(value)) return NONE;
  if (Math.abs(value) < SAME) return (0).toFixed(digits);
  return `${value < 0 ? "−" : "+"}${fixed(Math.abs(value), digits)}`;
}
const whole = (value) => (isNumber(value) ? Math.round(value).toLocaleString("en") : NONE);
const times100 = (value) => (isNumber(value) ? 100 * value : null);

// One decimal, and two within half a point of 0 and of 100, where one would hide what is left. What
// is not 100 never prints as 100, but for what rounding leaves. `sgbench.text.percent` has the same rule.
const ROUNDED = 1e-5;
function percent(value) {
  if (!isNumber(value)) return NONE;
  const hundred = 100 * value;
  const near =
    (hundred > ROUNDED && hundred < 0.5) || (hundred > 99.5 && hundred < 100 - ROUNDED);
  return near ? Math.min(Math.max(hundred, 0.01), 99.99).toFixed(2) : hundred.toFixed(1);
}

function short(value) {
  if (!isNumber(value)) return NONE;
  for (const [size, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ]) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))} ${letter}`;
  }
  return String(Number(value.toPrecision(3)));
}

function probability(p) {
  if (!isNumber(p)) return NONE;
  return p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(p < 0.1 ? 3 : 2)}`;
}

// Puts a text on the clipboard, also where a browser denies pages from a file its clipboard.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = h("textarea", { readonly: true, class: "aside" }, text);
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

// A button that copies a text and says so.
function copyButton(text, label) {
  const button = h("button", { type: "button", class: "copy", "aria-label": label }, "copy");
  button.addEventListener("click", async () => {
    await copyText(text);
    button.textContent = "copied";
    button.focus();
    byId("said").textContent = "copied";
    setTimeout(() => (button.textContent = "copy"), 2000);
  });
  return button;
}

// --- what hover and focus show -------------------------------------------------------------------

const hint = byId("hint");
let hinted = null;

function hideHint() {
  hint.hidden = true;
  hinted = null;
}

// Focus may scroll the page itself, so the hint of what is focused goes along.
function moveHint() {
  if (hinted && hinted === document.activeElement) showHint(hinted);
  else hideHint();
}

function showHint(target) {
  hinted = target;
  const lines = target.dataset.hint.split("\n");
  hint.replaceChildren(...lines.map((line, i) => h(i ? "div" : "strong", null, line)));
  hint.hidden = false;
  const at = target.getBoundingClientRect();
  const own = hint.getBoundingClientRect();
  const edge = document.documentElement;
  const left = Math.min(
    Math.max(8, at.left + at.width / 2 - own.width / 2),
    edge.clientWidth - own.width - 8,
  );
  const above = at.top - own.height - 8;
  hint.style.left = `${Math.max(8, left)}px`;
  hint.style.top = `${above > 8 ? above : at.bottom + 8}px`;
}

// Gives an element a hint that pointer, keyboard and touch can reach; readers get it as its label.
function explain(node, lines) {
  node.dataset.hint = lines.filter(Boolean).join("\n");
  return node;
}

const explained = (node) => (node instanceof Element ? node.closest("[data-hint]") : null);
for (const event of ["pointerover", "focusin", "click"])
  document.addEventListener(event, ({ target }) => {
    if (explained(target)) showHint(explained(target));
  });
for (const event of ["pointerout", "focusout"])
  document.addEventListener(event, ({ relatedTarget }) => {
    if (hinted && explained(relatedTarget) !== hinted) hideHint();
  });

const NUMERIC = /^([+−]?\d[\d.,]*( %| of [\d,]+| in [\d,]+)?( \([^)]*\))?|–)$/;

function table(caption, header, rows, attributes) {
  const kinds = header.map((_, i) =>
    i && rows.every((row) => NUMERIC.test(row[i])) ? "number" : null,
  );
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: 0, ...attributes },
    h(
      "table",
      null,
      h("caption", null, caption),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          header.map((name, i) => h("th", { scope: "col", class: kinds[i] }, name)),
        ),
      ),
      h(
        "tbody",
        null,
        rows.map((row) =>
          h(
            "tr",
            null,
            row.map((cell, i) =>
              i ? h("td", { class: kinds[i] }, cell) : h("th", { scope: "row" }, cell),
            ),
          ),
        ),
      ),
    ),
  );
}

// Every chart can be read as a table too.
const numbers = (caption, header, rows) =>
  h(
    "details",
    { class: "numbers" },
    h("summary", null, "The numbers as a table"),
    table(caption, header, rows),
  );
