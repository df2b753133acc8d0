/**
 * The sidebar: asks Backline about the customer's newest message and puts the draft into the composer on request.
 * The key is a secure setting: Zendesk's proxy fills it in, so no browser sees it. Texts become text nodes only.
 */
(function sidebar() {
  "use strict";

  const client = window.ZAFClient.init();
  const part = (name) => document.getElementById(name);

  /** Return the text of the customer's newest comment. */
  async function question() {
    const found = await client.get(["ticket.comments", "ticket.requester", "ticket.subject"]);
    const own = found["ticket.comments"].filter((one) => one.author.id === found["ticket.requester"].id);
    const page = new DOMParser().parseFromString(own.length ? own[0].value : "", "text/html");
    return (page.body.textContent.trim() || found["ticket.subject"]).slice(0, 8000);
  }

  /** Ask Backline through Zendesk's proxy. */
  async function ask(text) {
    const { settings } = await client.metadata();
    return client.request({
      url: `${settings.address}/v1/ask`,
      type: "POST",
      contentType: "application/json",
      headers: { Authorization: "Bearer {{setting.key}}" },
      data: JSON.stringify({ question: text }),
      secure: true,
    });
  }

  function marks(reply, sentence) {
    const numbers = sentence.citation_ids.map((name) => reply.citations.findIndex((one) => one.id === name) + 1);
    return numbers.map((number) => ` [${number}]`).join("");
  }

  function line(parent, kind, text) {
    const element = document.createElement(kind);
    element.textContent = text;
    parent.append(element);
  }

  /** Return the draft as plain text; under an urgent notice there is none. */
  function draft(reply) {
    if ((reply.triage && reply.triage.urgent) || !reply.sentences.length) {
      return "";
    }
    const sentences = reply.sentences.map((one) => one.text + marks(reply, one));
    const sources = reply.citations.map((one, place) =>
      `[${place + 1}] ${one.title}, ${one.publisher}. ${one.credit ? `${one.credit}. ` : ""}${one.url}`);
    const notice = reply.triage && reply.triage.level === "soon" ? [reply.triage.message] : [];
    return [...notice, ...sentences, "", "Sources", ...sources, reply.disclaimer].join("\n");
  }

  function show(reply) {
    if (reply.triage) {
      const matched = reply.triage.rules.map((one) => one.matched).filter(Boolean).join("; ");
      part("warning").textContent = `${reply.triage.label}: ${reply.triage.title}. ${reply.triage.message} (${matched})`;
    }
    const text = draft(reply);
    part("state").textContent = text ? "Draft: check before you send" : "No draft for this message";
    if (!text && reply.abstention) {
      line(part("draft"), "p", reply.abstention.message);
    }
    if (text) {
      reply.sentences.forEach((one) => line(part("draft"), "p", one.text + marks(reply, one)));
      reply.citations.forEach((one) => line(part("sources"), "li", `${one.title}, ${one.publisher}`));
      part("insert").hidden = false;
      part("insert").addEventListener("click", () => client.invoke("comment.appendText", text));
    }
    part("made").textContent = `Word for word from the sources, no AI writing. ${reply.id}`;
    client.invoke("resize", { width: "100%", height: `${document.body.scrollHeight + 24}px` });
  }

  question()
    .then(ask)
    .then(show)
    .catch(() => {
      part("state").textContent = "Backline cannot be reached; check its address and key in the app's settings.";
    });
})();
