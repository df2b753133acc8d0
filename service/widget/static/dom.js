/** Elements from text and attributes only: no markup is ever parsed. */

/** A service on this machine needs no network. */
export const isOffline = () => !navigator.onLine && !/^(localhost$|127\.|\[::1)/.test(location.hostname);

const SVG = "http://www.w3.org/2000/svg";

/** el("p.note", {lang: "en", onclick: f}, "text", child): false, null and undefined are left out everywhere. */
export function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** On a 24 × 24 grid. */
const PATHS = {
  triangle: ["M12 3.5 22 20.5H2Z", "M12 10v4.5", "M12 17.3v.4"],
  clock: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "M12 7.5V12l-2.6 2.6"],
  calendar: ["M4 6.5h16v14H4Z", "M4 11h16", "M8 3.5v4", "M16 3.5v4"],
  info: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "M12 11v5.5", "M12 7.4v.4"],
  checked: ["M6 3h8l5 5v13H6Z", "M14 3v5h5", "m9 14.5 2.2 2.2 4-4.4"],
  arrow: ["M5 12h14", "m13 6 6 6-6 6"],
  differ: ["M3 8h10", "m9.5 4.5 3.5 3.5-3.5 3.5", "M21 16H11", "m14.5 12.5-3.5 3.5 3.5 3.5"],
  send: ["M12 20V5", "m5.5 11 6.5-6.5 6.5 6.5"],
  plus: ["M12 4.5v15", "M4.5 12h15"],
  close: ["m5.5 5.5 13 13", "m18.5 5.5-13 13"],
  chevron: ["m6 9.5 6 6 6-6"],
  spine: ["M13.5 3.5c-3 3.5 1.5 5.5-1 8.5s1.5 5-1 8.5", "M4.5 7h5", "M14.5 8h4.5", "M4.5 12h5.5", "M14 13h5", "M4.5 17h5", "M14 18h5"],
};

/** An icon is decoration: the word beside it says the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  svg.setAttribute("class", `icon icon-${name}`);
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** The address, or null: javascript:, data: and the like are dropped. */
export function safeAddress(value) {
  if (typeof value !== "string" || !URL.canParse(value)) return null;
  const url = new URL(value);
  return url.protocol === "https:" || url.protocol === "http:" ? url : null;
}

/** A link to a page elsewhere: new tab, no opener, and the new tab said in its name. */
export function outsideLink(url, text, newTabText) {
  return el(
    "a.link",
    { href: url.href, target: "_blank", rel: "noopener noreferrer" },
    text,
    el("span.hidden", {}, ` (${newTabText})`),
  );
}

/** The last word and its chip never part, unless the word may need a line break itself. */
export function withTail(text, ...tail) {
  const cut = text.trimEnd().lastIndexOf(" ") + 1;
  const last = text.slice(cut).trimEnd();
  return [text.slice(0, cut), el(last.length > 20 ? "span" : "span.tail", {}, last, ...tail)];
}
