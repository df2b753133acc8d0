/** The question box: grows with the text, counts near the limit, hints at personal details, never blocks. */
import { el, icon } from "./dom.js";

const PERSONAL = [
  /[^\s@]+@[^\s@]+\.[a-z]{2,}/i,
  /(?:\+|\b0|\()\d[\d\s()./-]{7,}\d/,
  /\b\d{3}[-. ]\d{3}[-. ]\d{4}\b/,
  /\b(?:member|policy|insurance|patient|nhs|ssn|id)\s*(?:no\.?|number|id|#|:)\s*[a-z]*\d{4,}/i,
  /(?:^|\n)\s*(?:name|my name is|nombre|me llamo|ich heiße|mein name ist|je m'appelle|nom)\s*[:\s]\s*\p{Lu}\p{L}+/iu,
];
const MOST_ROWS = 5;

export function looksPersonal(text) {
  return PERSONAL.some((pattern) => pattern.test(text));
}

export class Composer {
  /** @param {{limit: number, outside: boolean, onSend: (text: string) => void, onStop: () => void}} wiring */
  constructor(wiring) {
    this.wiring = wiring;
    this.blocked = false;
    this.busy = false;
    this.label = el("label.hidden", { for: "question" });
    this.input = el("textarea", {
      id: "question", rows: "1", autocomplete: "off", enterkeyhint: "send", "aria-describedby": "hint note",
      oninput: () => this.watch(),
      onkeydown: (event) => this.key(event),
    });
    this.button = el("button.send", { type: "submit", part: "send" });
    this.hint = el("p.fine.hint", { id: "hint", hidden: true });
    this.note = el("p.fine", { id: "note" });
    this.element = el("form.composer", { part: "composer", onsubmit: (event) => { event.preventDefault(); this.submit(); } },
      this.label, el("div.box", {}, this.input, this.button), this.hint, this.note);
  }

  speak(texts, following) {
    this.texts = texts;
    this.label.textContent = texts.say("input.label");
    this.input.placeholder = texts.say(following ? "input.follow" : "input.label");
    this.note.textContent = (this.wiring.outside ? `${texts.say("input.outside")} ` : "") + texts.say("input.note");
    this.show();
    this.watch();
  }

  show() {
    this.button.classList.toggle("stop", this.busy);
    this.button.replaceChildren(this.busy ? this.texts.say("stop") : icon("send"));
    if (this.busy) this.button.removeAttribute("aria-label");
    else this.button.setAttribute("aria-label", this.texts.say("send"));
    this.button.setAttribute("aria-disabled", String(!this.busy && (this.blocked || this.tooLong)));
  }

  set(state) {
    Object.assign(this, state);
    this.show();
  }

  get tooLong() {
    return this.input.value.length > this.wiring.limit;
  }

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!this.busy) this.submit();
  }

  submit() {
    if (this.busy) {
      this.wiring.onStop();
      return;
    }
    const text = this.input.value.trim();
    if (!text || this.blocked || this.tooLong) return;
    this.wiring.onSend(text);
  }

  fill(text) {
    this.input.value = text;
    this.watch();
  }

  watch() {
    const { input, hint, texts } = this;
    input.rows = 1;
    while (input.rows < MOST_ROWS && input.scrollHeight > input.clientHeight + 2) input.rows += 1;
    const left = this.wiring.limit - input.value.length;
    const lines = [];
    if (left < 0) lines.push(texts.say("input.over", { n: -left }));
    else if (left <= this.wiring.limit / 10) lines.push(texts.say("input.left", { n: left }));
    if (looksPersonal(input.value)) lines.push(texts.say("input.personal"));
    hint.textContent = lines.join(" ");
    hint.hidden = !lines.length;
    this.show();
  }
}
