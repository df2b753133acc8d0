/** The component; docs/widget.md names its attributes, events and methods. */
import { Announcer } from "./announcer.js";
import { AskError, Service } from "./asking.js";
import { Numbering } from "./citations.js";
import { Composer } from "./composer.js";
import { el, isOffline } from "./dom.js";
import { drawFrame, speakFrame } from "./frame.js";
import { registerUnit, sheet } from "./styles.js";
import { Texts } from "./texts.js";
import { Turn } from "./turns.js";

const WIDE_PX = 1200;
const BUSY_MS = 400;
const LONG_MS = 4000;
const HISTORY = 6;
const MODES = ["inline", "launcher", "search"];

export class BacklineAsk extends HTMLElement {
  static observedAttributes = ["locale", "emergency-numbers", "crisis-lines", "endpoint", "token-url", "collection"];

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
    this.service = this.connect();
    this.composer = new Composer({
      outside: this.hasAttribute("outside-model"),
      limit: Number(this.getAttribute("max-length")) || 8000,
      onSend: (text) => this.ask(text),
      onStop: () => this.request?.abort(),
    });
    const mode = this.getAttribute("mode");
    drawFrame(this, MODES.includes(mode) ? mode : "inline");
    this.shadowRoot.append(this.root);
    this.floating = mode === "launcher" && import("./launcher.js").then(({ Launcher }) => { this.launcher = new Launcher(this); });
    if (registerUnit()) this.root.classList.add("measured");
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.panel);
    this.observer.observe(this.talk);
    window.addEventListener("online", () => this.connection(), { signal });
    window.addEventListener("offline", () => this.connection(), { signal });
    window.visualViewport?.addEventListener("resize", () => this.measure(), { signal });
    Promise.all([this.setLanguage(), this.floating]).then(() => this.emit("bl:ready", {}));
  }

  disconnectedCallback() {
    // A move within the page disconnects and connects again; only a real removal ends the component.
    queueMicrotask(() => !this.isConnected && this.destroy());
  }

  attributeChangedCallback(name, before, after) {
    if (!this.ready || before === after) return;
    if (/endpoint|token|collection/.test(name)) this.service = this.connect();
    else this.setLanguage();
  }

  /** Without an endpoint, the service is where this file came from. */
  connect() {
    const endpoint = this.getAttribute("endpoint") ?? new URL("..", import.meta.url).href;
    return new Service(endpoint, this.getAttribute("token-url"), this.getAttribute("collection"));
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
    this.freshen();
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
    if (this.isWide) this.wear(import("./wide.js"));
    if (wasWide !== this.isWide) for (const turn of this.turns) turn.citations.place();
  }

  async wear(loading) {
    const { sheet } = await loading;
    const { adoptedStyleSheets: worn } = this.shadowRoot;
    if (!worn.includes(sheet)) worn.push(sheet);
  }

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
    const body = { question, mode: this.hasAttribute("outside-model") ? "auto" : "extractive" };
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
      await this.finish(turn, reply);
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

  hear(turn, event, data) {
    if (event === "triage") turn.notice(data.triage ?? data);
    else if (event === "sentence") {
      turn.busy(null);
      turn.citations.add(data.citations);
      turn.sentence(data.sentence ?? data, { aloud: !turn.isEmergency });
      turn.busy("busy.next");
    }
  }

  async finish(turn, reply) {
    if (!reply || typeof reply !== "object" || !["answered", "partial", "abstained", "withheld"].includes(reply.status)) {
      throw new AskError("failed");
    }
    this.conversationId = reply.conversation_id ?? this.conversationId;
    // The notice waits for nothing; then all the rest appears at once.
    turn.notice(reply.triage);
    if (reply.abstention) turn.silence = (await import("./silence.js")).drawSilence;
    if (reply.differences?.length) turn.differing = (await import("./differing.js")).drawDiffering;
    turn.show(reply);
    this.wear(import("./paper.js"));
    this.emit(reply.abstention ? "bl:abstain" : "bl:answer", { id: reply.id, status: reply.status, question: turn.question });
  }

  /** A notice came: the strip gives way to an emergency, and focus goes to it unless the person is typing. */
  noticed(turn, triage, aloud) {
    if (!aloud) return;
    this.emit("bl:triage", { level: triage.level, urgent: triage.urgent === true });
    if (!turn.isEmergency) return;
    this.freshen();
    if (!turn.isAlarm) return;
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
      import("./limiting.js").then(({ countDown }) => countDown(this, turn, error.seconds), () => this.tell(turn, "error.generic", error, body));
      return;
    }
    const key = { stopped: "stopped", cut: "error.cut", offline: "error.offline" }[kind] ?? "error.generic";
    this.tell(turn, key, error, body);
  }

  tell(turn, key, error, body) {
    turn.fail(() => this.failureBox(turn, key, error, body));
    this.announcer.say(this.texts.say(key), { assertive: error.kind === "offline" });
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

  freshen() {
    const last = this.turns.at(-1);
    this.strip.hidden = Boolean(last?.isAlarm);
    this.newButton.hidden = !this.turns.length;
    this.composer.speak(this.texts, this.turns.length > 0);
    this.leadBack();
    this.measure();
  }

  /** Later turns keep one line that leads back to the last emergency notice. */
  leadBack() {
    let alarm = null;
    for (const turn of this.turns) {
      if (turn.isAlarm) alarm = turn;
      turn.leadBack(alarm);
    }
  }

  /** Whether an earlier turn shows this very notice, and nothing in the new question raised it again. */
  shownBefore(turn, triage) {
    const alarm = this.turns.slice(0, this.turns.indexOf(turn)).findLast((earlier) => earlier.isAlarm);
    const raised = (triage.rules ?? []).some(({ level, matched }) => level === triage.level && turn.question.includes(matched));
    return alarm?.triage.key === triage.key && !raised;
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

  focus() {
    this.composer?.input.focus();
  }

  async open() {
    await this.floating;
    this.launcher?.open();
  }

  async close() {
    await this.floating;
    this.launcher?.close();
  }

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
    if (event.key === "Tab") this.launcher?.cycle(event);
    if (event.key !== "Escape") return;
    const { openCard } = this;
    if (openCard) {
      this.closeCard();
      openCard.chip.focus();
    } else if (this.request) this.request.abort();
    else if (this.launcher) this.launcher.close();
    else return;
    event.stopPropagation();
    event.preventDefault();
  }

  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }

}

if (!customElements.get("backline-ask")) customElements.define("backline-ask", BacklineAsk);
