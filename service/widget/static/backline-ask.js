/**
 * <backline-ask endpoint mode="inline|launcher|search" locale theme collection emergency-numbers crisis-lines handoff
 *   token-url feedback stream max-length size>
 *
 * Events (bubbling, composed): bl:ready, bl:ask, bl:answer, bl:abstain, bl:triage, bl:feedback, bl:handoff, bl:error.
 * Methods: open(), close(), ask(question), reset(), destroy().
 */
import { Announcer } from "./announcer.js";
import { AskError, Service } from "./asking.js";
import { Numbering } from "./citations.js";
import { Composer } from "./composer.js";
import { el, icon, isOffline } from "./dom.js";
import { drawFrame, speakFrame } from "./frame.js";
import { levelOf } from "./notices.js";
import { registerUnit, sheet } from "./styles.js";
import { Texts } from "./texts.js";
import { Turn } from "./turns.js";

const WIDE_PX = 1200;
const BUSY_MS = 400;
const LONG_MS = 4000;
const COUNT_EVERY_MS = 10_000;
const HISTORY = 6;
const MODES = ["inline", "launcher", "search"];

export class BacklineAsk extends HTMLElement {
  static observedAttributes = ["locale", "emergency-numbers", "crisis-lines", "endpoint", "token-url"];

  constructor() {
    super();
    this.own = new CSSStyleSheet();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet, this.own];
    this.texts = Texts.english();
    this.announcer = new Announcer();
    this.width = 0;
    this.startConversation();
  }

  connectedCallback() {
    if (this.ready) return;
    this.ready = true;
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    this.service = new Service(this.getAttribute("endpoint") ?? "", this.getAttribute("token-url"));
    this.composer = new Composer({
      limit: Number(this.getAttribute("max-length")) || 8000,
      onSend: (text) => this.ask(text),
      onStop: () => this.request?.abort(),
    });
    drawFrame(this, MODES.includes(this.getAttribute("mode")) ? this.getAttribute("mode") : "inline");
    this.shadowRoot.append(this.root);
    if (registerUnit()) this.root.classList.add("measured");
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.panel);
    this.observer.observe(this.talk);
    window.addEventListener("online", () => this.connection(), { signal });
    window.addEventListener("offline", () => this.connection(), { signal });
    window.visualViewport?.addEventListener("resize", () => this.measure(), { signal });
    this.setLanguage().then(() => this.emit("bl:ready", {}));
  }

  disconnectedCallback() {
    // A move within the page disconnects and connects again; only a real removal ends the component.
    queueMicrotask(() => !this.isConnected && this.destroy());
  }

  attributeChangedCallback(name, before, after) {
    if (!this.ready || before === after) return;
    if (name === "endpoint" || name === "token-url") this.service = new Service(this.getAttribute("endpoint") ?? "", this.getAttribute("token-url"));
    else this.setLanguage();
  }

  /** A conversation counts its own sources and has at most one open card. */
  startConversation() {
    this.turns = [];
    this.numbering = new Numbering();
    this.openCard = null;
    this.conversationId = null;
  }

  get isWide() {
    return this.width >= WIDE_PX;
  }

  closeCard() {
    if (!this.openCard) return;
    const { chip, card } = this.openCard;
    chip.setAttribute("aria-expanded", "false");
    card.classList.remove("active");
    card.hidden = !this.isWide;
    this.openCard = null;
  }

  get emergencyNumbers() {
    return (this.getAttribute("emergency-numbers") || "112 911 999").split(/[\s,]+/).filter(Boolean);
  }

  get crisisLines() {
    return (this.getAttribute("crisis-lines") ?? "").split(",").map((line) => line.trim()).filter(Boolean);
  }

  async setLanguage() {
    const wanted = this.getAttribute("locale") || this.ownerDocument.documentElement.lang || "en";
    const texts = await Texts.load(wanted);
    // A quicker second change must not be overtaken by the first one's file.
    if (wanted !== (this.getAttribute("locale") || this.ownerDocument.documentElement.lang || "en")) return;
    this.texts = texts;
    this.root.lang = texts.language;
    this.root.dir = texts.direction;
    speakFrame(this);
    this.openCard = null;
    for (const turn of this.turns) turn.redraw();
    this.measure();
  }

  measure() {
    const wasWide = this.isWide;
    const { talk } = this;
    this.width = this.panel.clientWidth;
    const scrolls = talk.scrollHeight > talk.clientHeight + 1;
    // The last turn is as high as the view, so that its question can stand at the top from the start.
    this.own.replaceSync(`:host { --bl-turn-height: ${scrolls ? talk.clientHeight - 41 : 0}px;
      --bl-view-height: ${window.visualViewport?.height ?? window.innerHeight}px; }`);
    if (scrolls) talk.tabIndex = 0;
    else talk.removeAttribute("tabindex");
    this.judgeAccent();
    if (wasWide !== this.isWide) for (const turn of this.turns) turn.citations.place();
  }

  /** A site's accent that cannot be read is not used. */
  async judgeAccent() {
    if (!getComputedStyle(this).getPropertyValue("--bl-accent").trim()) return;
    const { readableAccent } = await import("./theming.js");
    this.root.classList.toggle("accent-refused", !readableAccent(this));
  }

  /** Ask a question; resolves when its reply, or its failure, is shown. */
  async ask(question) {
    const text = String(question ?? "").trim();
    if (!text || this.request || this.composer.blocked) return;
    const history = this.turns.filter((turn) => turn.reply).map((turn) => turn.question).slice(-HISTORY);
    const turn = new Turn(this, text);
    this.turns.push(turn);
    this.turnsBox.append(turn.element);
    this.empty.hidden = true;
    this.composer.fill("");
    this.freshen();
    this.emit("bl:ask", { question: text });
    this.showQuestion(turn);
    await this.send(turn, this.body(text, history));
  }

  body(question, history) {
    const body = { question };
    const { conversationId } = this;
    if (history.length) body.history = history;
    if (conversationId) body.conversation_id = conversationId;
    if (this.texts.language !== "en") body.locale = this.texts.language;
    if (this.getAttribute("collection")) body.filters = { collection: this.getAttribute("collection") };
    return body;
  }

  async send(turn, body) {
    this.request = new AbortController();
    const { signal } = this.request;
    this.composer.set({ busy: true });
    this.root.toggleAttribute("data-busy", true);
    const timers = [
      setTimeout(() => this.sayBusy(turn, "busy.search"), BUSY_MS),
      setTimeout(() => this.sayBusy(turn, "busy.long"), LONG_MS),
    ];
    const quiet = () => timers.forEach(clearTimeout);
    try {
      const reply = this.hasAttribute("stream")
        ? await this.service.stream(body, signal, (event, data) => { quiet(); this.hear(turn, event, data); })
        : await this.service.ask(body, signal);
      quiet();
      this.finish(turn, reply);
    } catch (error) {
      quiet();
      this.failed(turn, error instanceof AskError ? error : new AskError("failed"), body);
      if (!(error instanceof AskError)) throw error;
    } finally {
      this.request = null;
      this.composer.set({ busy: false });
      this.root.toggleAttribute("data-busy", false);
      this.freshen();
    }
  }

  sayBusy(turn, key) {
    turn.busy(key);
    this.announcer.say(this.texts.say(key));
  }

  /** One event of a stream. What is shown is verified and stays. */
  hear(turn, event, data) {
    if (event === "triage") turn.notice(data.triage ?? data);
    else if (event === "sentence") {
      turn.busy(null);
      turn.citations.add(data.citations);
      turn.sentence(data.sentence ?? data, { aloud: !turn.isEmergency });
      turn.busy("busy.next");
    }
  }

  finish(turn, reply) {
    if (!reply || typeof reply !== "object" || !["answered", "partial", "abstained", "withheld"].includes(reply.status)) {
      throw new AskError("failed");
    }
    this.conversationId = reply.conversation_id ?? this.conversationId;
    turn.show(reply);
    this.emit(reply.abstention ? "bl:abstain" : "bl:answer", { id: reply.id, status: reply.status, question: turn.question });
  }

  /** A notice came: the strip gives way to an emergency, and focus goes to it unless the person is typing. */
  noticed(turn, triage, aloud) {
    if (!aloud) return;
    this.emit("bl:triage", { level: triage.level, urgent: triage.urgent === true });
    if (levelOf(triage) !== "emergency") return;
    this.freshen();
    if (!this.composer.input.value) turn.heading.focus({ preventScroll: true });
    const call = turn.notices.querySelector(".call") ?? turn.heading;
    const view = this.talk.getBoundingClientRect();
    const end = Math.min(view.bottom, window.innerHeight);
    if (call.getBoundingClientRect().bottom > end) turn.notices.scrollIntoView({ block: "start" });
  }

  failed(turn, error, body) {
    const { kind } = error;
    this.emit("bl:error", { kind, requestId: error.requestId, status: error.status });
    if (!this.composer.input.value && !turn.sentenceCount) this.composer.fill(turn.question);
    if (kind === "stopped" && !turn.sentenceCount && !turn.triage) {
      this.drop(turn);
      return;
    }
    if (kind === "limited") {
      this.count(turn, error);
      return;
    }
    const key = { stopped: "stopped", cut: "error.cut", offline: "error.offline" }[kind] ?? "error.generic";
    turn.fail(() => this.failureBox(turn, key, error, body));
    this.announcer.say(this.texts.say(key), { assertive: kind === "offline" });
  }

  failureBox(turn, key, error, body) {
    const { texts } = this;
    return el("div.failure", { "data-failure": error.kind },
      el("p", {}, texts.say(key)),
      error.detail && el("p.small", { lang: "en", dir: "auto" }, error.detail),
      error.kind !== "stopped" && el("button.choice", { type: "button", onclick: () => this.retry(turn, body) }, texts.say("error.retry")),
      error.requestId && el("p.fine", {}, texts.say("error.request", { id: error.requestId })));
  }

  retry(turn, body) {
    if (this.request || this.composer.blocked) return;
    if (this.composer.input.value.trim() === turn.question) this.composer.fill("");
    turn.clear();
    this.focus();
    this.send(turn, body);
  }

  /** Too many questions: the seconds count down in steps of ten and are spoken once. */
  count(turn, error) {
    const until = Date.now() + error.seconds * 1000;
    const left = () => Math.max(0, Math.round((until - Date.now()) / 1000));
    this.composer.set({ blocked: true });
    const line = el("p", {});
    const draw = () => {
      line.textContent = this.texts.say("error.limited", { n: left() });
      return el("div.failure", { "data-failure": "limited" }, line);
    };
    turn.fail(draw);
    this.announcer.say(line.textContent);
    clearTimeout(this.counting);
    const tick = () => {
      if (left() > 0) {
        line.textContent = this.texts.say("error.limited", { n: left() });
        this.counting = setTimeout(tick, Math.min(COUNT_EVERY_MS, left() * 1000));
        return;
      }
      this.composer.set({ blocked: isOffline() });
      this.drop(turn);
    };
    this.counting = setTimeout(tick, Math.min(COUNT_EVERY_MS, error.seconds * 1000));
  }

  drop(turn) {
    this.turns = this.turns.filter((other) => other !== turn);
    turn.element.remove();
    this.empty.hidden = this.turns.length > 0;
    this.freshen();
  }

  /** Offline: nothing is sent, and nothing is sent by itself when the connection is back. */
  connection() {
    const offline = isOffline();
    this.offlineLine.hidden = !offline;
    this.composer.set({ blocked: offline });
    if (offline) this.announcer.say(this.texts.say("error.offline"), { assertive: true });
  }

  /** Bring strip, buttons and links up to date with the turns. */
  freshen() {
    const last = this.turns.at(-1);
    this.strip.hidden = Boolean(last?.isEmergency);
    this.newButton.hidden = !this.turns.length;
    this.composer.speak(this.texts, this.turns.length > 0);
    this.backLink(last);
    this.measure();
  }

  /** Later turns keep one line that leads back to the last emergency notice. */
  backLink(last) {
    this.back?.remove();
    this.back = null;
    const alarm = this.turns.findLast((turn) => turn.isEmergency);
    if (!alarm || alarm === last) return;
    const title = alarm.heading.querySelector(".title").textContent;
    this.back = el("button.back", { type: "button", ...this.texts.mark("notice.back"), onclick: () => {
      alarm.notices.scrollIntoView({ block: "start" });
      alarm.heading.focus({ preventScroll: true });
    } }, icon("triangle"), this.texts.say("notice.back", { title }));
    last.notices.after(this.back);
  }

  /** The question goes to the top of the view once; after that the view never moves by itself. */
  showQuestion(turn) {
    if (this.talk.scrollHeight > this.talk.clientHeight + 1) {
      this.talk.scrollTop += turn.element.getBoundingClientRect().top - this.talk.getBoundingClientRect().top - 12;
    } else if (this.turns.length > 1) {
      turn.element.scrollIntoView({ block: "nearest" });
    }
  }

  rephrase(question) {
    if (!this.composer.input.value) this.composer.fill(question);
    this.focus();
  }

  /** Put the cursor into the question box. */
  focus() {
    this.composer?.input.focus();
  }

  open() {
    if (this.root.dataset.mode !== "launcher") return;
    this.panel.hidden = false;
    this.launcher.setAttribute("aria-expanded", "true");
    this.launcher.replaceChildren(icon("close"));
    this.panel.toggleAttribute("aria-modal", false);
    if (this.isFullScreen) this.panel.setAttribute("aria-modal", "true");
    speakFrame(this);
    this.measure();
    this.focus();
  }

  close() {
    if (this.root.dataset.mode !== "launcher") return;
    this.panel.hidden = true;
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.replaceChildren(icon("spine"));
    speakFrame(this);
    this.launcher.focus();
  }

  get isFullScreen() {
    return this.root.dataset.mode === "launcher" && window.matchMedia("(max-width: 599.98px)").matches;
  }

  /** Forget the conversation and start anew. */
  reset() {
    this.request?.abort();
    clearTimeout(this.counting);
    this.announcer.clear();
    this.turnsBox.replaceChildren();
    this.startConversation();
    this.empty.hidden = false;
    this.composer.set({ blocked: isOffline() });
    this.freshen();
    this.focus();
  }

  destroy() {
    this.request?.abort();
    clearTimeout(this.counting);
    this.observer?.disconnect();
    this.leaving?.abort();
    this.root?.remove();
    this.remove();
  }

  keyInPanel(event) {
    if (event.key === "Tab" && this.isFullScreen) this.cycle(event);
    if (event.key !== "Escape") return;
    const { openCard } = this;
    if (openCard) {
      this.closeCard();
      openCard.chip.focus();
    } else if (this.request) this.request.abort();
    else if (this.root.dataset.mode === "launcher") this.close();
    else return;
    event.stopPropagation();
    event.preventDefault();
  }

  /** Only the full-screen panel keeps the tab key inside; Esc always leaves. */
  cycle(event) {
    const stops = [...this.panel.querySelectorAll("a, button, select, textarea, input, summary, [tabindex='0']")].filter((stop) => stop.checkVisibility());
    const [first, last] = [stops.at(0), stops.at(-1)];
    const { activeElement } = this.shadowRoot;
    if (event.shiftKey && activeElement === first) last.focus();
    else if (!event.shiftKey && activeElement === last) first.focus();
    else return;
    event.preventDefault();
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

}

if (!customElements.get("backline-ask")) customElements.define("backline-ask", BacklineAsk);
