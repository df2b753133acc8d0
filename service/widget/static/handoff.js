/** Hand-over to a person: shows exactly what is sent before it is sent. Only where the site has set `handoff`. */
import { el } from "./dom.js";
import { dressForms } from "./forms.js";

export function drawHandoff(component, question, reply) {
  dressForms(component);
  const { texts } = component;
  const box = el("div.reply", {});
  const opener = el("button.choice.main", { type: "button", onclick: () => open() }, texts.say("handoff.button"));

  const open = () => {
    const heading = el("h4.part", { tabindex: "-1" }, texts.say("handoff.preview"));
    const contact = el("input.field", { type: "text", autocomplete: "email", maxlength: "200", "aria-label": texts.say("handoff.contact") });
    const status = el("p.small", {});
    const send = el("button.choice.main", { type: "button", onclick: () => submit(contact.value.trim(), status) }, texts.say("feedback.send"));
    box.replaceChildren(heading, el("p.preview", { dir: "auto" }, question), el("p.small", {}, texts.say("handoff.contact")), contact, send, status);
    heading.focus();
  };

  const submit = async (contact, status) => {
    const body = { answer_id: reply.id, question, contact: contact || undefined };
    try {
      const response = await component.service.post("/v1/handoffs", body);
      const told = await response.json().catch(() => ({}));
      const sent = told.team && told.channel ? texts.say("handoff.sent", told) : texts.say("handoff.done");
      const line = el("p", { tabindex: "-1" }, sent);
      box.replaceChildren(line);
      line.focus();
      component.emit("bl:handoff", { answer_id: reply.id });
    } catch {
      status.textContent = texts.say("error.generic");
      component.announcer.say(status.textContent);
    }
  };

  box.append(opener);
  return box;
}
