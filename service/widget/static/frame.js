/** What stands around the conversation: launcher, header, strip, empty state. Drawn once, spoken again on a new language. */
import { el, icon, isOffline } from "./dom.js";
import { callLink } from "./notices.js";
import { LANGUAGES } from "./texts.js";

export function drawFrame(component, mode) {
  const { announcer, composer } = component;
  component.titleText = el("b", { id: "name" }, "Backline");
  component.tagline = el("span", {});
  component.languages = el("select.plain", { onchange: (event) => component.setAttribute("locale", event.target.value) },
    Object.entries(LANGUAGES).map(([value, name]) => el("option", { value, lang: value }, name)));
  component.newButton = el("button.plain.new", { type: "button", hidden: true, onclick: () => component.reset() });
  component.closeButton = el("button.plain", { type: "button", hidden: mode !== "launcher", onclick: () => component.close() }, icon("close"));
  component.strip = el("div.strip", { part: "strip" });
  component.empty = el("div.empty.column", {});
  component.offlineLine = el("p.failure.column", { hidden: !isOffline(), "data-failure": "offline-now" });
  component.regionTitle = el("h2.hidden", { id: "region" });
  component.turnsBox = el("ol.turns.column", {});
  component.talk = el("section.talk", { role: "region", "aria-labelledby": "region" },
    component.regionTitle, component.empty, component.turnsBox, component.offlineLine);
  composer.blocked = isOffline();
  component.panel = el("div.panel", {
    id: "panel", part: "panel", hidden: mode === "launcher", role: mode === "launcher" && "dialog",
    "aria-labelledby": mode === "launcher" && "name", onkeydown: (event) => component.keyInPanel(event),
  },
    mode !== "search" && el("header.bar", { part: "header" },
      el("span.mark", {}, icon("spine")),
      el("div.names", {}, component.titleText, component.tagline),
      component.languages, component.newButton, component.closeButton),
    component.strip, component.talk, composer.element);
  component.root = el("div.root", { "data-mode": mode }, component.panel, announcer.polite, announcer.assertive);
}

export function speakFrame(component) {
  const { texts, root } = component;
  component.tagline.textContent = texts.say("app.tagline");
  component.languages.setAttribute("aria-label", texts.say("language"));
  component.languages.value = Object.hasOwn(LANGUAGES, texts.language) ? texts.language : "en";
  component.newButton.replaceChildren(icon("plus"), el("span.word", {}, texts.say("panel.new")));
  component.newButton.setAttribute("aria-label", texts.say("panel.new"));
  component.closeButton.setAttribute("aria-label", texts.say("panel.close"));
  component.launcher?.speak();
  component.regionTitle.textContent = texts.say("conversation");
  component.offlineLine.textContent = texts.say("error.offline");
  component.strip.replaceChildren(...drawStrip(component));
  component.empty.replaceChildren(...drawEmpty(component, root.dataset.mode));
  component.composer.speak(texts, component.turns.length > 0);
}

/** "Emergency? Call 112, 911, 999 or your local number." Each number is one tap away. */
function drawStrip(component) {
  const { texts } = component;
  const [before, after = ""] = texts.say("strip.emergency").split("{numbers}");
  const [, question, rest] = /^([^?]*\?)?([\s\S]*)$/.exec(before);
  const numbers = component.emergencyNumbers.flatMap((number, index) => {
    const shown = el("bdi", { dir: "ltr" }, number);
    return [index ? ", " : "", callLink(number, shown) ?? shown];
  });
  const signs = el("button.signs", { type: "button", onclick: () => component.ask(texts.say("example.3")) }, texts.say("strip.signs"));
  return [el("p", texts.mark("strip.emergency"), question && el("b", {}, question), rest, numbers, after), signs];
}

function drawEmpty(component, mode) {
  const { texts } = component;
  if (mode === "search") return [];
  const examples = [1, 2, 3].map((n) => {
    const text = texts.say(`example.${n}`);
    return el("button.choice", { type: "button", ...texts.mark(`example.${n}`), onclick: () => component.ask(text) }, text);
  });
  return [
    el("h2", texts.mark("empty.title"), texts.say("empty.title")),
    el("p.lead", texts.mark("empty.lead"), texts.say("empty.lead")),
    el("div.choices", {}, examples),
    el("slot", { name: "hint" }),
  ];
}
