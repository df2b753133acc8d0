/** Only for the ask page: "/" jumps to the question, and one button switches that off (WCAG 2.1.4). */
const TEXTS = {
  en: ["Press / to jump to the question.", "Switch this key off"],
  es: ["Pulse / para ir a la pregunta.", "Desactivar esta tecla"],
  de: ["Mit / springen Sie zur Frage.", "Diese Taste ausschalten"],
  fr: ["Appuyez sur / pour aller à la question.", "Désactiver cette touche"],
};

const component = document.querySelector("backline-ask");
const hint = document.getElementById("keys");
const off = document.createElement("button");
off.type = "button";
const listening = new AbortController();

function speak() {
  const [text, button] = TEXTS[component.getAttribute("locale")] ?? TEXTS.en;
  off.textContent = button;
  hint.replaceChildren(text, " ", off);
}

off.addEventListener("click", () => {
  listening.abort();
  hint.remove();
  component.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const [target] = event.composedPath();
  if (target instanceof Element && target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  component.focus();
}, { signal: listening.signal });

customElements.whenDefined("backline-ask").then(() => {
  speak();
  // A phone has neither the key nor the room, and a keyboard that pops up would hide the examples.
  if (window.matchMedia("(min-width: 768px) and (pointer: fine)").matches) {
    hint.hidden = false;
    component.focus();
  }
});
new MutationObserver(speak).observe(component, { attributeFilter: ["locale"] });
