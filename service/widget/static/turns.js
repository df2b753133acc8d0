/** One question and its reply. The order inside a reply never changes: notice, answer, gaps, sources, the rest. */
import { TurnCitations, evidenceRow } from "./citations.js";
import { el, icon, withTail } from "./dom.js";
import { drawNotice, levelOf, spokenNotice } from "./notices.js";

const SOURCES_SHOWN = 2;
let turns = 0;

export class Turn {
  constructor(component, question) {
    this.component = component;
    this.question = question;
    this.id = `turn-${++turns}`;
    this.reply = null;
    this.element = el("li.turn", {});
    this.clear();
  }

  /** Draw the turn anew from what it knows, for instance in another language. */
  redraw() {
    const { reply, failure } = this;
    this.clear();
    if (reply) this.show(reply, { aloud: false });
    if (failure) this.fail(failure.draw);
  }

  clear() {
    const { texts } = this.component;
    this.citations = new TurnCitations(this);
    this.triage = null;
    this.carried = false;
    this.sentenceCount = 0;
    this.headRow = null;
    this.failure = null;
    this.busyRow = null;
    this.notices = el("div.notices", { hidden: true });
    this.main = el("div.main", {});
    this.body = el("div.body", {}, this.main, this.citations.rail);
    this.replyBox = el("div.reply", {}, this.notices, el("h3.hidden", {}, texts.say("turn.answer")), this.body);
    this.element.replaceChildren(
      el("h3.hidden", {}, texts.say("turn.you")),
      el("p.bubble", { dir: "auto" }, this.question),
      this.replyBox,
    );
  }

  get isEmergency() {
    return levelOf(this.triage) === "emergency";
  }

  /** Whether the card of an emergency stands in this turn. */
  get isAlarm() {
    return this.isEmergency && !this.carried;
  }

  /** One line that leads to the emergency notice of an earlier turn; none where a notice of its own stands. */
  leadBack(alarm) {
    this.back?.remove();
    this.back = null;
    if (!alarm || alarm === this) return;
    const { texts } = this.component;
    this.back = el("button.back", { type: "button", ...texts.mark("notice.back"), onclick: () => {
      alarm.notices.scrollIntoView({ block: "start" });
      alarm.heading.focus({ preventScroll: true });
    } }, icon("triangle"), texts.say("notice.back", { title: alarm.triage.title }));
    this.notices.after(this.back);
  }

  busy(key) {
    this.busyRow?.remove();
    this.busyRow = null;
    if (!key) return;
    const dots = el("span.dots", { "aria-hidden": "true" }, el("i"), el("i"), el("i"));
    this.busyRow = el("p.busy", {}, dots, this.component.texts.say(key));
    this.main.append(this.busyRow);
  }

  /** The notice, and with an emergency the answer folds away below it. */
  notice(triage, { aloud = true } = {}) {
    const level = levelOf(triage);
    if (this.triage || !triage) return;
    this.triage = triage;
    if (!level) {
      if (triage.message) this.main.append(el("p.answer", { lang: triage.language ?? "en", dir: "auto" }, triage.message));
      return;
    }
    const { component } = this;
    this.carried = level === "emergency" && component.shownBefore(this, triage);
    if (level === "emergency") this.foldAnswer();
    if (this.carried) {
      // The same words again would be read over: the line that leads back to the card says it.
      if (aloud) component.announcer.say(component.texts.say("notice.back", { title: triage.title }), { assertive: true, lang: "en" });
      component.noticed(this, triage, aloud);
      return;
    }
    this.notices.hidden = false;
    this.notices.append(drawNotice(component, triage, `${this.id}-notice`));
    this.heading = this.notices.querySelector("h3");
    if (aloud) component.announcer.say(spokenNotice(triage), { assertive: triage.urgent === true, lang: "en" });
    component.noticed(this, triage, aloud);
  }

  foldAnswer() {
    const { texts } = this.component;
    const label = el("span", texts.mark("notice.answer"), texts.say("notice.answer"));
    this.fold = el("details.fold", { hidden: true }, el("summary", {}, label, icon("chevron")));
    this.body.replaceWith(this.fold);
    this.fold.append(this.body);
    if (this.carried) return;
    const other = el("p.muted", texts.mark("notice.other"), texts.say("notice.other"));
    if (!this.triage.self_harm) this.replyBox.append(other);
    if (!this.component.hasAttribute("handoff")) return;
    const numbers = this.component.emergencyNumbers.join(", ");
    this.replyBox.append(el("p.muted", {}, texts.say("handoff.urgent", { numbers })));
  }

  head(key) {
    const { texts } = this.component;
    if (!this.headRow) {
      this.headText = el("h4.head", {});
      this.headRow = el("div.row", {}, this.headText);
      this.main.append(this.headRow);
    }
    this.headText.textContent = texts.say(key);
  }

  badge(reply) {
    const { texts } = this.component;
    const key = `answer.badge.${writtenByModel(reply) ? "llm" : "extractive"}`;
    const help = el("p.small", { hidden: true, id: `${this.id}-badge` }, texts.say(`${key}.help`));
    const button = el("button.badge", { type: "button", "aria-expanded": "false", "aria-controls": help.id, onclick: () => {
      help.hidden = !help.hidden;
      button.setAttribute("aria-expanded", String(!help.hidden));
    } }, texts.say(key));
    this.headRow.append(button);
    this.headRow.after(help);
  }

  /** One verified sentence with its chips. It is never changed afterwards. */
  sentence(sentence, { aloud = true } = {}) {
    if (!this.headRow) this.head("answer.head");
    if (this.fold) this.fold.hidden = false;
    const block = el("div.sentence", {});
    const chips = this.citations.chips(sentence.citation_ids, block);
    block.prepend(el("p.answer", { dir: "auto", part: "sentence" }, withTail(sentence.text, ...chips)));
    this.main.append(block);
    this.citations.place();
    this.sentenceCount += 1;
    if (!aloud) return;
    const names = chips.map((chip) => chip.getAttribute("aria-label").split(":")[0]);
    this.component.announcer.say(`${sentence.text} ${names.join(", ")}.`);
  }

  /** Draw what is not drawn yet of a whole reply. */
  show(reply, { aloud = true } = {}) {
    this.busy(null);
    this.reply = reply;
    this.citations.add(reply.citations);
    this.notice(reply.triage, { aloud });
    if (reply.rewritten_question && reply.rewritten_question !== this.question) {
      const text = this.component.texts.say("followup.read_as", { question: reply.rewritten_question });
      this.main.prepend(el("p.small", { dir: "auto" }, text));
    }
    if (reply.abstention) this.silence(this, reply, aloud);
    else if (reply.sentences?.length) this.answer(reply, aloud);
    this.body.hidden = !this.main.childElementCount;
    if (this.body.hidden && this.fold) this.fold.hidden = true;
  }

  answer(reply, aloud) {
    const { texts, announcer } = this.component;
    for (const sentence of reply.sentences.slice(this.sentenceCount)) this.sentence(sentence, { aloud: aloud && !this.isEmergency });
    const partial = reply.status === "partial";
    this.head(partial ? "answer.partial" : "answer.head");
    this.badge(reply);
    const missing = (reply.missing ?? []).map((topic) => texts.say("missing.body", { topic }));
    if (missing.length) this.main.append(this.framed("info", texts.say("missing.head"), missing.map((line) => el("p", { dir: "auto" }, line)), el("p", {}, texts.say("missing.who"))));
    for (const difference of reply.differences ?? []) this.main.append(this.differing(this, difference));
    this.sourceList();
    this.tools(reply);
    if (!aloud || this.isEmergency) return;
    announcer.say(partial
      ? [texts.say("answer.partial"), `${texts.say("missing.head")}:`, ...missing].join(" ")
      : texts.say("answer.done", {
        s: texts.say("count.sentences", { n: reply.sentences.length }),
        c: texts.say("count.sources", { n: this.citations.numbered().length }),
      }));
  }

  framed(symbol, title, ...children) {
    return el("section.framed", {}, el("h4", {}, icon(symbol), el("span", { dir: "auto" }, title)), ...children);
  }

  sourceList() {
    const { texts } = this.component;
    const items = this.citations.numbered().map(([number, citation]) => el("li.source", {},
      el("span.chip", { "aria-hidden": "true" }, String(number)),
      el("div", {}, el("h4", { dir: "auto" }, citation.title), el("p.small", { dir: "auto" }, citation.publisher), evidenceRow(texts, citation))));
    if (!items.length) return;
    const rest = items.length > SOURCES_SHOWN + 1 ? items.slice(SOURCES_SHOWN) : [];
    for (const item of rest) item.hidden = true;
    const more = rest.length && el("button.plain", { type: "button", onclick: () => {
      for (const item of rest) item.hidden = false;
      more.remove();
      rest[0].setAttribute("tabindex", "-1");
      rest[0].focus();
    } }, texts.say("sources.more", { n: rest.length }));
    this.main.append(el("section.sources", {}, el("h4.head", {}, texts.say("sources.head")), el("ol.sources", {}, items), more || null));
  }

  /** Copying, feedback, follow-ups: none of them stands beside an emergency. */
  tools(reply) {
    const { texts } = this.component;
    const copy = el("button.choice.narrow", { type: "button", onclick: () => this.copy() }, texts.say("copy"));
    this.main.append(el("div.row.tools", {}, copy));
    if (this.isEmergency) return;
    if (this.component.hasAttribute("handoff")) this.main.append(this.handoff(reply));
    if (this.component.hasAttribute("feedback")) this.main.append(this.feedback());
    const followUps = this.triage?.urgent ? [] : (reply.follow_ups ?? []).slice(0, 3);
    if (followUps.length) {
      this.main.append(el("h4.part", {}, texts.say("followup.head")), this.choices(followUps));
    }
  }

  /** A part that few sites switch on comes when it is needed, into the place that was kept for it. */
  later(loading, draw) {
    const place = el("div", {});
    loading.then((part) => place.replaceWith(draw(part)), () => place.remove());
    return place;
  }

  feedback(citationId) {
    return this.later(import("./feedback.js"), (part) => part.drawFeedback(this.component, this.reply, citationId));
  }

  handoff(reply) {
    return this.later(import("./handoff.js"), (part) => part.drawHandoff(this.component, this.question, reply));
  }

  choices(questions) {
    return el("div.choices", {}, questions.map((text) =>
      el("button.choice", { type: "button", dir: "auto", onclick: () => this.component.ask(text) }, text)));
  }

  /** A request that ended without a reply. `draw` makes the box anew in the language of the moment. */
  fail(draw) {
    this.busy(null);
    this.failure?.box.remove();
    this.failure = { draw, box: draw() };
    this.replyBox.append(this.failure.box);
  }

  async copy() {
    const { texts, announcer } = this.component;
    const { copyAnswer } = await import("./copying.js");
    const done = await copyAnswer(this, `answer.badge.${writtenByModel(this.reply) ? "llm" : "extractive"}`);
    const said = texts.say(done ? "copied" : "copy.failed");
    announcer.say(said);
    const row = this.main.querySelector(".row.tools");
    row.querySelector(".small")?.remove();
    row.append(el("span.small", {}, said));
  }
}

function writtenByModel(reply) {
  return reply.mode === "generative" || (reply.citations ?? []).some((citation) => citation.support?.label === "entailed");
}
