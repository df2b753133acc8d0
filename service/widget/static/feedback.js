/** "Did this answer your question?", and the same of one source. It never blocks; a missing warning is the first reason. */
import { el } from "./dom.js";
import { dressForms } from "./forms.js";

const REASONS = ["warning", "wrong", "off", "hard"];

/**
 * @param {BacklineAsk} component
 * @param {object} reply
 * @param {string} [citationId] the citation that is asked about instead of the whole answer
 */
export function drawFeedback(component, reply, citationId) {
  dressForms(component);
  const { texts } = component;
  const question = texts.say(citationId ? "feedback.cite" : "feedback.ask");
  const box = el("div.feedback.reply", {});
  const send = (verdict, more = {}) => {
    const body = { answer_id: reply.id, citation_id: citationId, verdict, ...more };
    // Thanks are said whether or not it arrives: the reader can do nothing about a failure here.
    component.service.post("/v1/feedback", body).catch(() => {});
    component.emit("bl:feedback", body);
  };
  const thank = () => {
    const thanks = el("p.small", { tabindex: "-1" }, texts.say("feedback.thanks"));
    box.replaceChildren(thanks);
    thanks.focus();
  };
  const refuse = () => {
    send("no");
    box.replaceChildren(reasons(texts, citationId ? REASONS.slice(1) : REASONS, send, thank));
    box.querySelector("button").focus();
  };
  box.append(el("div.row", { role: "group", "aria-label": question },
    el("span.small", { "aria-hidden": "true" }, question),
    el("div.row", {},
      el("button.choice", { type: "button", onclick: () => { send("yes"); thank(); } }, texts.say("feedback.yes")),
      el("button.choice", { type: "button", onclick: refuse }, texts.say("feedback.no")))));
  return box;
}

function reasons(texts, offered, send, thank) {
  let chosen = null;
  const buttons = offered.map((reason) => el("button.choice", { type: "button", "aria-pressed": "false", onclick: (event) => {
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
