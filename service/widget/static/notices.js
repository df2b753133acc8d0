/** The notice that comes before any answer: how soon care is needed, whom to call, why it is shown. */
import { el, icon, outsideLink, safeAddress } from "./dom.js";

const ICONS = { emergency: "triangle", today: "clock", soon: "calendar", info: "info" };

/** The parts of a text around one {place}, with an element in that place. */
export function fill(template, place, element) {
  const [before, after = ""] = template.split(`{${place}}`);
  return [before, element, after];
}

/** "Crisis line 116 123" -> the digits to dial; null where there are none. */
function dialled(entry) {
  const match = /\+?[\d][\d\s().-]*$|^[\d*#+]+$/.exec(entry.trim());
  const digits = match ? match[0].replace(/[^\d+*#]/g, "") : "";
  return digits || null;
}

export function callLink(entry, label, attributes = {}) {
  const digits = dialled(entry);
  return digits && el("a", { ...attributes, href: `tel:${digits}` }, label);
}

export function levelOf(triage) {
  return triage && Object.hasOwn(ICONS, triage.level) ? triage.level : null;
}

/** An "only if" line: a key of ours or a sentence; what it asks stands in bold. */
export function onlyIf(texts, line, tag) {
  const ours = /^cond\.\w+$/.test(line);
  const text = ours ? texts.say(line) : String(line);
  const [, bold, rest] = /^(.*?\?|Go now\b)?([\s\S]*)$/.exec(text);
  return el(tag, ours ? texts.mark(line) : { lang: "en", dir: "ltr" }, bold && el("b", {}, bold), rest);
}

export function drawNotice(component, triage, id) {
  const { texts } = component;
  const level = levelOf(triage);
  // The urgent texts are the server's alone: in the language that a clinician has signed off, else in English.
  const mark = { lang: triage.language ?? "en", dir: "auto" };
  const urgentNow = level === "emergency";
  const kind = triage.self_harm ? "selfharm" : level;
  return el(`div.notice.${kind}`, { role: "group", part: "notice", "aria-labelledby": id, "aria-describedby": `${id}-message` },
    el("h3", { id, tabindex: "-1" },
      el("span.level", mark, icon(triage.self_harm ? "info" : ICONS[level]), triage.label, el("span.hidden", {}, ". ")),
      el("span.title", mark, triage.title)),
    urgentNow && calls(component, triage.self_harm),
    urgentNow && triage.how && el("p", mark, triage.how),
    triage.message && el("p", { id: `${id}-message`, ...mark }, triage.message),
    !urgentNow && triage.how && el("p", mark, triage.how),
    (triage.conditional ?? []).map((line) => onlyIf(texts, line, "p")),
    foot(texts, triage, level),
  );
}

function calls(component, selfHarm) {
  const { texts } = component;
  const entries = [...(selfHarm ? component.crisisLines : []), ...component.emergencyNumbers];
  const links = entries.map((entry) => {
    const shown = el("bdi", { dir: "ltr" }, entry);
    // A line that has a name of its own, as crisis lines have, is its own label.
    const named = /\p{L}/u.test(entry);
    const label = named ? shown : el("span", texts.mark("notice.call"), fill(texts.say("notice.call"), "number", shown));
    const link = callLink(entry, label);
    link?.classList.add("call");
    return link;
  });
  return el("div.calls", {}, links);
}

function foot(texts, triage, level) {
  const matched = String(triage.rules?.[0]?.matched ?? "").slice(0, 120);
  const [, lead, rest] = /^([^:]*:)?([\s\S]*)$/.exec(texts.say("notice.why"));
  const why = matched && level !== "info" && el("p", texts.mark("notice.why"), el("b", {}, lead), fill(rest, "matched", el("bdi", {}, matched)));
  const sources = (triage.sources ?? []).map((source) => {
    const url = safeAddress(source.url);
    const name = [source.title, source.publisher].filter(Boolean).join(", ") || source.says || source.source_id;
    return name && el("li", { dir: "auto" }, url ? outsideLink(url, name, texts.say("cite.tab")) : name);
  });
  const folded = sources.some(Boolean) && el("details", {},
    el("summary", texts.mark("notice.sources"), texts.say("notice.sources")),
    el("ul", {}, sources));
  return (why || folded) && el("div.foot", {}, why, folded);
}

export function spokenNotice(triage) {
  const head = `${triage.label}. ${triage.title}.`;
  return triage.level === "emergency" ? head : `${head} ${triage.message}`;
}
