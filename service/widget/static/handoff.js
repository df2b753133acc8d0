/** Hand-over to a person: shows exactly what is sent before it is sent. Only where the site has set `handoff`. */
import { el } from "./dom.js";
import { dressForms } from "./forms.js";
import { drawNotice, levelOf, spokenNotice } from "./notices.js";

let boxes = 0;

export function drawHandoff(component, question, reply) {
  dressForms(component);
  const { texts } = component;
  const id = `handoff-${++boxes}`;
  const box = el("div.reply.handoff", {});
  const opener = el("button.choice.primary", { type: "button", onclick: () => open() }, texts.say("handoff.button"));

  const close = () => {
    box.replaceChildren(opener);
    opener.focus();
  };

  const open = () => {
    const heading = el("h4.part", { tabindex: "-1" }, texts.say("handoff.preview"));
    const contact = el("input.field", { id, type: "text", autocomplete: "email", maxlength: "200" });
    const status = el("p.small", { dir: "auto" });
    box.replaceChildren(heading, el("p.preview", { dir: "auto" }, question),
      el("label.small", { for: id }, texts.say("handoff.contact")), contact,
      el("div.row", {},
        el("button.choice.primary", { type: "button", onclick: () => submit(contact.value.trim(), status) }, texts.say("feedback.send")),
        el("button.choice", { type: "button", onclick: close }, texts.say("panel.close"))),
      status);
    heading.focus();
  };

  const submit = async (contact, status) => {
    const body = { answer_id: reply.id, question, contact: contact || undefined };
    try {
      const response = await component.service.post("/v1/handoffs", body);
      sent(await response.json().catch(() => ({})));
    } catch (error) {
      // The service may know whom to write to instead.
      status.textContent = error.detail || texts.say("error.generic");
      component.announcer.say(status.textContent);
    }
  };

  const sent = (told) => {
    const done = told.team && told.channel ? texts.say("handoff.sent", told) : texts.say("handoff.done");
    const line = el("p", { tabindex: "-1" }, done);
    const notice = levelOf(told.triage) && !component.turns.some((turn) => turn.triage?.key === told.triage.key);
    box.replaceChildren(...(notice ? [drawNotice(component, told.triage, `${id}-notice`)] : []), line);
    if (notice) component.announcer.say(spokenNotice(told.triage), { assertive: told.triage.urgent === true, lang: "en" });
    (notice ? box.querySelector("h3") : line).focus();
    component.emit("bl:handoff", { answer_id: reply.id });
  };

  box.append(opener);
  return box;
}
