/** Numbers, chips and cards: what stands behind each sentence. */
import { el, icon, outsideLink, safeAddress } from "./dom.js";

const EVIDENCE_ICONS = { source: "checked", copy: "clock", edition: "clock", candidate: "arrow", other: "arrow" };
const MARKS = { es: ["«", "»"], fr: ["« ", " »"], de: ["„", "“"] };

export class Numbering {
  constructor() {
    this.numbers = new Map();
  }

  of(citation) {
    const key = `${citation.document_id}:${citation.source_start}:${citation.source_end}`;
    if (!this.numbers.has(key)) this.numbers.set(key, this.numbers.size + 1);
    return this.numbers.get(key);
  }
}

const plain = (text) => String(text ?? "").replace(/\s+/g, " ").trim();

export function evidenceLine(texts, citation) {
  const known = Object.hasOwn(EVIDENCE_ICONS, citation.evidence) ? citation.evidence : null;
  const published = texts.date(citation.published);
  const checked = texts.date(citation.retrieved);
  return [
    known && texts.say(`cite.ev.${known}`),
    published ? texts.say("cite.dated", { date: published.text }) : texts.say("cite.date.unknown"),
    published?.old && texts.say("cite.date.old"),
    checked && texts.say("cite.checked", { date: checked.text }),
  ]
    .filter(Boolean)
    .join(" · ");
}

export function evidenceRow(texts, citation, lead = "") {
  const line = [lead, evidenceLine(texts, citation)].filter(Boolean).join(" · ");
  return el("p.evidence", {}, icon(EVIDENCE_ICONS[citation.evidence] ?? "arrow"), el("span", {}, line));
}

/** Where a citation leads: to the words on the page, to the page, or nowhere. */
export function pageLink(citation) {
  const deep = safeAddress(citation.deep_link);
  const url = deep ?? safeAddress(citation.url);
  if (!url) return null;
  const jumps = Boolean(deep) && !citation.digest && deep.hash.includes(":~:text=");
  return { url, host: url.host.replace(/^www\./, ""), key: jumps ? "cite.jump" : "cite.open" };
}

export class TurnCitations {
  constructor(turn) {
    this.turn = turn;
    this.component = turn.component;
    this.citations = new Map();
    this.cards = new Map();
    this.homes = new Map();
    this.rail = el("div.rail");
  }

  add(list) {
    for (const citation of list ?? []) if (citation?.id) this.citations.set(citation.id, citation);
  }

  numbered() {
    const seen = new Map();
    for (const id of this.cards.keys()) {
      const citation = this.citations.get(id);
      const number = this.component.numbering.of(citation);
      if (!seen.has(number)) seen.set(number, citation);
    }
    return [...seen].sort(([a], [b]) => a - b);
  }

  /** Chips for the ids, whose cards will open at the end of `block`. */
  chips(ids, block) {
    return (ids ?? []).filter((id) => this.citations.has(id)).map((id) => this.chip(id, block));
  }

  chip(id, block) {
    const { texts, numbering } = this.component;
    const citation = this.citations.get(id);
    const number = numbering.of(citation);
    if (!this.cards.has(id)) {
      this.cards.set(id, this.card(citation, number, `${this.turn.id}-card-${this.cards.size + 1}`));
      this.homes.set(id, block);
    }
    const card = this.cards.get(id);
    const name = texts.say("cite.name", { n: number, title: plain(citation.title), publisher: plain(citation.publisher) });
    const chip = el("button.chip", {
      type: "button", "aria-expanded": "false", "aria-controls": card.id, "aria-label": name,
      onclick: () => this.toggle(id, chip, block),
    }, String(number));
    return chip;
  }

  card(citation, number, id) {
    const { texts } = this.component;
    const link = pageLink(citation);
    return el("article.card", { id, part: "card", hidden: true, "aria-labelledby": `${id}-title` },
      el("h4", { id: `${id}-title`, dir: "auto" }, el("span.chip", { "aria-hidden": "true" }, String(number)), " ", plain(citation.title)),
      plain(citation.publisher) && el("p.small", { dir: "auto" }, plain(citation.publisher)),
      this.said(citation),
      citation.support?.label === "entailed" && el("p.small", {}, texts.say("cite.reworded")),
      evidenceRow(texts, citation),
      plain(citation.credit) && el("p.fine", { dir: "auto" }, plain(citation.credit)),
      link && el("p", {}, outsideLink(link.url, texts.say(link.key, { host: link.host }), texts.say("cite.tab"))),
    );
  }

  /** A digest is our wording and has no quotation marks; a quote is theirs and has both marks and bar. */
  said(citation) {
    const { texts } = this.component;
    const digest = Boolean(citation.digest);
    const [open, close] = digest ? ["", ""] : (MARKS[texts.language] ?? ["“", "”"]);
    const path = (citation.locator?.heading_path ?? []).map(plain).filter(Boolean).at(-1);
    const before = plain(citation.prefix);
    const after = plain(citation.suffix);
    return el(digest ? "div.says.digest" : "div.says.quote", {},
      el("p.small", {}, texts.say(digest ? "cite.digest" : "cite.quote")),
      el("p", { lang: citation.language ?? "en", dir: "auto" },
        path && path !== plain(citation.title) && el("span.muted", {}, `${path} › `),
        open,
        before && el("span.muted", {}, `… ${before} `),
        el("mark", {}, plain(citation.quote)),
        after && el("span.muted", {}, ` ${after} …`),
        close,
      ),
    );
  }

  toggle(id, chip, block) {
    const opens = chip.getAttribute("aria-expanded") !== "true";
    this.component.closeCard();
    if (!opens) return;
    const card = this.cards.get(id);
    chip.setAttribute("aria-expanded", "true");
    card.classList.add("active");
    this.component.openCard = { chip, card, citations: this };
    if (this.component.isWide) {
      card.scrollIntoView({ block: "nearest" });
    } else {
      this.homes.set(id, block);
      block.append(card);
      card.hidden = false;
    }
    const { turn } = this;
    if (turn.reply && !turn.isEmergency && this.component.hasAttribute("feedback")) card.rating ??= card.appendChild(turn.feedback(id));
    const said = [...card.querySelectorAll(".says p, .evidence span")].map((part) => part.textContent);
    this.component.announcer.say(said.join(" "));
  }

  /** Cards stand in the rail where there is room for one, else closed under their sentences. */
  place() {
    const wide = this.component.isWide;
    for (const [id, card] of this.cards) {
      if (wide) this.rail.append(card);
      else this.homes.get(id).append(card);
      card.hidden = !wide && !card.classList.contains("active");
    }
  }
}
