/** Too many questions: comes with the first refusal. */
import { el, isOffline } from "./dom.js";

const STEP_MS = 10_000;

/** The seconds count down in steps of ten, are spoken once, and nothing can be sent meanwhile. */
export function countDown(component, turn, seconds) {
  const until = Date.now() + seconds * 1000;
  const left = () => Math.max(0, Math.round((until - Date.now()) / 1000));
  const line = el("p", {});
  const count = () => { line.textContent = component.texts.say("error.limited", { n: left() }); };
  const tick = () => {
    if (!left()) {
      component.composer.set({ blocked: isOffline() });
      component.drop(turn);
      return;
    }
    count();
    component.counting = setTimeout(tick, Math.min(STEP_MS, left() * 1000));
  };
  component.composer.set({ blocked: true });
  turn.fail(() => {
    count();
    return el("div.failure", { "data-failure": "limited" }, line);
  });
  component.announcer.say(line.textContent);
  clearTimeout(component.counting);
  tick();
}
