/** Style of the two forms, feedback and hand-over; comes with them. */

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
fieldset { display: grid; gap: var(--bl-space-3); margin: 0; padding: 0; border: 0; min-inline-size: 0; }
legend { padding: 0 0 var(--bl-space-2); font-weight: 700; }
.field { inline-size: 100%; min-block-size: 48px; padding: var(--bl-space-2) var(--bl-space-3); border: 1.5px solid var(--bl-control); border-radius: var(--bl-radius-m); background: var(--bl-surface); }
.card .feedback .choice { min-inline-size: 48px; padding-inline: var(--bl-space-3); text-align: center; }
textarea.field { min-block-size: 80px; resize: vertical; }
.preview { display: grid; gap: var(--bl-space-2); padding: var(--bl-space-3); background: var(--bl-sunken); border-radius: var(--bl-radius-s); overflow-wrap: anywhere; white-space: pre-wrap; }
`);

/** Give a component the style of the forms. */
export function dressForms(component) {
  const { shadowRoot } = component;
  if (!shadowRoot.adoptedStyleSheets.includes(sheet)) shadowRoot.adoptedStyleSheets.push(sheet);
}
