/** Says whole messages to a screen reader, one at a time: the only live regions of the component. */
import { el } from "./dom.js";

const GAP_MS = 500;
const CLEAR_MS = 5000;

export class Announcer {
  constructor() {
    this.polite = el("div.hidden", { "aria-live": "polite", "data-speech": "polite" });
    this.assertive = el("div.hidden", { "aria-live": "assertive", "data-speech": "assertive" });
    this.queue = [];
    this.timer = null;
  }

  say(message, { assertive = false, lang = null } = {}) {
    const item = { message, lang, region: assertive ? this.assertive : this.polite };
    if (assertive) this.queue.unshift(item);
    else this.queue.push(item);
    this.timer ??= setTimeout(() => this.next(), 30);
  }

  next() {
    const item = this.queue.shift();
    if (!item) {
      this.timer = null;
      return;
    }
    const line = el("p", { lang: item.lang }, item.message);
    item.region.append(line);
    setTimeout(() => line.remove(), CLEAR_MS);
    this.timer = setTimeout(() => this.next(), GAP_MS);
  }

  clear() {
    this.queue.length = 0;
    this.polite.replaceChildren();
    this.assertive.replaceChildren();
  }
}
