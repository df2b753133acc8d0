/** "Did this answer your question?" It never blocks, and a missing warning is the first reason offered. */
import { el } from "./dom.js";
import { dressForms } from "./forms.js";

const REASONS = ["warning", "wrong", "off", "hard"];

export function drawFeedback(component, reply) {
  dressForms(component);
  const { texts } = component;
  const box = el("div.feedback.reply", {});
  const send = (verdict, more = {}) => {
    const body = { answer_id: reply.id, verdict, ...more };
    // Thanks are said whether or not it arrives: the reader can do nothing about a failure here.
    component.service.post("/v1/feedback", body).catch(() => {});
    component.emit("bl:feedback", body);
  };
  const thank = () => {
    const thanks = el("p.small", { tabindex: "-1" }, texts.say("feedback.thanks"));
    box.replaceChildren(thanks);
    thanks.focus();
  };
  box.append(el("div.row", { role: "group", "aria-label": texts.say("feedback.ask") },
    el("span.muted", { "aria-hidden": "true" }, texts.say("feedback.ask")),
    el("button.choice", { type: "button", onclick: () => { send("yes"); thank(); } }, texts.say("feedback.yes")),
    el("button.choice", { type: "button", onclick: () => { send("no"); box.replaceChildren(reasons(texts, send, thank)); box.querySelector("button").focus(); } },
      texts.say("feedback.no"))));
  return box;
}

function reasons(texts, send, thank) {
  let chosen = null;
  const buttons = REASONS.map((reason) => el("button.choice", { type: "button", "aria-pressed": "false", onclick: (event) => {
    chosen = chosen === reason ? null : reason;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button === event.currentTarget && chosen === reason));
  } }, texts.say(`feedback.r.${reason}`)));
  const text = el("textarea.field", { maxlength: "1000", rows: "2", "aria-label": texts.say("feedback.text"), placeholder: texts.say("feedback.text") });
  const done = el("button.choice.narrow", { type: "button", onclick: () => {
    if (chosen || text.value.trim()) send("no", { reason: chosen ?? undefined, text: text.value.trim() || undefined });
    thank();
  } }, texts.say("feedback.send"));
  return el("fieldset", {}, el("legend", {}, texts.say("feedback.more")), buttons, text, done);
}
