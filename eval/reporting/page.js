// Filters and moves through the failures; the page is whole without it.
const root = document.documentElement;
const rows = [...document.querySelectorAll(".failure")];
const pane = document.querySelector(".pane");
const shownCount = document.querySelector("#shown");
const kindButtons = [...document.querySelectorAll("[data-kind-filter]")];
const ruleButtons = [...document.querySelectorAll("[data-rule]")];
const slice = document.querySelector("#slice");
const text = document.querySelector("#words");
const fresh = document.querySelector("#fresh");
const wide = matchMedia("(min-width: 900px)");
let kind = "";

const visible = () => rows.filter((row) => !row.hidden);

function filter() {
  const words = text.value.trim().toLowerCase();
  for (const row of rows) {
    const inKind = !kind || row.dataset.kind === kind;
    const inSlice = !slice.value || row.dataset.slices.split("|").includes(slice.value);
    const isFresh = !fresh || fresh.getAttribute("aria-pressed") !== "true" || row.dataset.fresh === "yes";
    const hasWords = !words || row.textContent.toLowerCase().includes(words);
    row.hidden = !(inKind && inSlice && isFresh && hasWords);
  }
  for (const button of kindButtons) {
    button.setAttribute("aria-pressed", String(button.dataset.kindFilter === kind));
  }
  const left = visible();
  shownCount.textContent = `${left.length} of ${rows.length} shown`;
  if (left.length && !left.some((row) => row.classList.contains("chosen"))) choose(left[0], false);
  if (!left.length) pane.replaceChildren();
}

function choose(row, named = true) {
  for (const other of rows) other.classList.toggle("chosen", other === row);
  const detail = row.querySelector(".detail").cloneNode(true);
  for (const marked of detail.querySelectorAll("[id]")) marked.removeAttribute("id");
  pane.replaceChildren(detail);
  if (named) history.replaceState(null, "", `#${row.id}`);
}

function move(step) {
  const left = visible();
  const at = left.findIndex((row) => row.classList.contains("chosen"));
  const next = left[Math.min(Math.max(at + step, 0), left.length - 1)];
  if (!next) return;
  choose(next);
  if (!wide.matches) next.open = true;
  next.querySelector("summary").focus();
}

function openNamed() {
  const row = rows.find((one) => `#${one.id}` === decodeURIComponent(location.hash));
  if (!row) return;
  row.hidden = false;
  choose(row, false);
  row.open = !wide.matches;
  row.scrollIntoView({ block: "nearest" });
}

root.classList.add("scripted");
if (rows.length) {
  for (const button of kindButtons) {
    button.addEventListener("click", () => { kind = button.dataset.kindFilter; filter(); });
  }
  for (const button of ruleButtons) {
    button.addEventListener("click", () => {
      kind = "";
      slice.value = [...slice.options].some((one) => one.value === button.dataset.rule) ? button.dataset.rule : "";
      filter();
      document.querySelector(".failures").scrollIntoView();
    });
  }
  slice.addEventListener("change", filter);
  text.addEventListener("input", filter);
  fresh?.addEventListener("click", () => {
    fresh.setAttribute("aria-pressed", String(fresh.getAttribute("aria-pressed") !== "true"));
    filter();
  });
  for (const row of rows) {
    row.querySelector("summary").addEventListener("click", (event) => {
      if (wide.matches) event.preventDefault();
      choose(row);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.case);
      button.textContent = "Copied";
    } catch {
      button.insertAdjacentText("afterend", button.dataset.case);
    }
  });
  addEventListener("hashchange", openNamed);
  filter();
  openNamed();
}
