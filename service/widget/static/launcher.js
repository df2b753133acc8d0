/** mode="launcher": a round button and the panel that it opens. */
import { el, icon } from "./dom.js";

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
.launcher { position: fixed; inset-block-end: 28px; inset-inline-end: 28px; z-index: 2147483000; display: grid; place-items: center;
  inline-size: 52px; block-size: 52px; border: 1px solid transparent; border-radius: 50%; background: var(--bl-hue); color: var(--bl-on-hue);
  box-shadow: 0 4px 16px rgb(0 0 0 / 25%); }
[data-mode="launcher"] .panel { position: fixed; inset-block-end: 92px; inset-inline-end: 28px; z-index: 2147483000; inline-size: 400px;
  block-size: min(684px, calc(100dvh - 120px)); border: 1px solid var(--bl-border); border-radius: var(--bl-radius-l); overflow: hidden;
  box-shadow: 0 12px 40px rgb(0 0 0 / 22%); }
:host([size="wide"]) [data-mode="launcher"] .panel { inline-size: 480px; }
[data-mode="launcher"] .names span { display: block; }
[data-mode="launcher"] .names b { font-size: calc(1 * var(--u)); line-height: calc(1.25 * var(--u)); }
[data-mode="launcher"] .new .word, [data-mode="launcher"] select.plain { display: none; }
[data-mode="launcher"] .new .icon { display: block; }
@media (max-width: 599.98px) {
  [data-mode="launcher"] .panel { inset: 0; inline-size: auto; block-size: var(--bl-view-height, 100dvh); border: 0; border-radius: 0;
    padding-block-start: env(safe-area-inset-top); }
  [data-mode="launcher"] .launcher[aria-expanded="true"] { display: none; }
}
@keyframes rise { from { opacity: 0; transform: translateY(8px); } }
[data-mode="launcher"] .panel { animation: rise 160ms; }
`);

export class Launcher {
  constructor(component) {
    this.component = component;
    this.button = el("button.launcher", {
      type: "button", part: "launcher", "aria-expanded": "false", "aria-controls": "panel",
      onclick: () => (component.panel.hidden ? this.open() : this.close()),
    }, icon("spine"));
    component.shadowRoot.adoptedStyleSheets.push(sheet);
    component.root.prepend(this.button);
    this.speak();
  }

  speak() {
    this.button.setAttribute("aria-label", this.component.texts.say("launcher.open"));
  }

  get fillsWindow() {
    return window.matchMedia("(max-width: 599.98px)").matches;
  }

  open() {
    const { component } = this;
    this.show(true);
    component.panel.ariaModal = this.fillsWindow || null;
    component.measure();
    component.focus();
  }

  close() {
    this.show(false);
    this.button.focus();
  }

  show(open) {
    this.component.panel.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    this.button.replaceChildren(icon(open ? "close" : "spine"));
  }

  /** Only the panel that fills the window keeps the tab key inside; Esc always leaves. */
  cycle(event) {
    if (!this.fillsWindow) return;
    const { panel, shadowRoot } = this.component;
    const stops = [...panel.querySelectorAll("a, button, select, textarea, input, summary, [tabindex='0']")].filter((stop) => stop.checkVisibility());
    const [first, last] = [stops.at(0), stops.at(-1)];
    const { activeElement } = shadowRoot;
    if (event.shiftKey && activeElement === first) last.focus();
    else if (!event.shiftKey && activeElement === last) first.focus();
    else return;
    event.preventDefault();
  }
}
