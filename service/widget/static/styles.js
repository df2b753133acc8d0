/** One constructable style sheet for all instances: no style elements, no style attributes, logical properties only. */
// Sites may set what stands under OPEN on <backline-ask>, and --bl-accent with --bl-on-accent. All the other colours
// are declared inside, where no outer rule reaches: a warning looks like a warning on every page.
const OPEN = `
  --bl-radius-s: 8px; --bl-radius-m: 14px; --bl-radius-l: 16px;
  --bl-font: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;`;

const LIGHT = `
  color-scheme: light;
  --bl-bg: #F7F5F0; --bl-surface: #FFFFFF; --bl-sunken: #EFECE4;
  --bl-text: #1B2A29; --bl-text-muted: #4E5C5A;
  --bl-own-accent: #0B5F58; --bl-own-on-accent: #FFFFFF; --bl-accent-soft: #DDEDE9;
  --bl-control: #74807C; --bl-border: #D9D5C9; --bl-mark: #FFF0B3; --bl-focus: #1D4ED8;
  --bl-emergency: #9F1420; --bl-emergency-text: #FFFFFF; --bl-emergency-line: #9F1420;
  --bl-emergency-button: #FFFFFF; --bl-emergency-button-text: #8A0F1A;
  --bl-today: #FFF1D6; --bl-today-text: #5A3A00; --bl-today-line: #9A6200;
  --bl-soon: #E6EFFA; --bl-soon-text: #173E70; --bl-soon-line: #2F64A8;
  --bl-info: #E9EEEC; --bl-info-text: #2B3B39; --bl-info-line: #66756F;
  --bl-error: #9F1420; --bl-ok: #1E6B3A;`;

const DARK = `
  color-scheme: dark;
  --bl-bg: #101615; --bl-surface: #18211F; --bl-sunken: #22302D;
  --bl-text: #E9F0EE; --bl-text-muted: #AAB9B5;
  --bl-own-accent: #74D3C5; --bl-own-on-accent: #05211D; --bl-accent-soft: #1D3A36;
  --bl-control: #81938E; --bl-border: #34443F; --bl-mark: #4F4310; --bl-focus: #A9C4FF;
  --bl-emergency: #7A111B; --bl-emergency-text: #FFFFFF; --bl-emergency-line: #FF8F86;
  --bl-emergency-button: #FFE3E0; --bl-emergency-button-text: #6B0C15;
  --bl-today: #37290C; --bl-today-text: #FFE3AD; --bl-today-line: #DDA83F;
  --bl-soon: #14273F; --bl-soon-text: #CFE2FF; --bl-soon-line: #78A9E6;
  --bl-info: #22302D; --bl-info-text: #D6E2DE; --bl-info-line: #81938E;
  --bl-error: #FF9B94; --bl-ok: #7DD69B;`;

const tokens = `
:host { ${OPEN} }
/* Nothing of the host page is inherited. */
.root { all: initial; ${LIGHT} }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"], [theme="dark"])) .root { ${DARK} } }
:host([theme="dark"]) .root { ${DARK} }
.root {
  --bl-hue: var(--bl-accent, var(--bl-own-accent)); --bl-on-hue: var(--bl-on-accent, var(--bl-own-on-accent));
  --bl-space-1: 4px; --bl-space-2: 8px; --bl-space-3: 12px; --bl-space-4: 16px;
  --bl-space-5: 20px; --bl-space-6: 24px; --bl-space-7: 32px; --bl-space-8: 48px;
}
.root.accent-refused { --bl-hue: var(--bl-own-accent); --bl-on-hue: var(--bl-own-on-accent); }
`;

const frame = `
:host { display: block !important; min-inline-size: 0 !important; }
:host([hidden]) { display: none !important; }
:host([mode="launcher"]) { display: contents !important; }
.root, .root *, .root *::before, .root *::after { box-sizing: border-box; }
/* "medium" is the reader's own text size, whatever the page does to its root element. */
.root { --u: 1rem; display: block; block-size: 100%; color: var(--bl-text);
  font: medium/1.5 var(--bl-font); text-align: start; position: relative; }
[data-speech] { inset-block-start: 0; }
.root.measured { --bl-unit: 1em; --u: var(--bl-unit); }
.root[hidden], .root [hidden] { display: none !important; }
.root:lang(ar), .root:lang(fa), .root:lang(hi), .root:lang(th), .root:lang(ur) { --bl-tall: 1.2; }
h2, h3, h4, p, ol, ul { margin: 0; padding: 0; font: inherit; }
ol, ul { list-style: none; }
button, select, textarea, input { font: inherit; color: inherit; }
button, summary, select { cursor: pointer; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.icon { inline-size: calc(1.5 * var(--u)); block-size: calc(1.5 * var(--u)); flex: none; fill: none; stroke: currentColor;
  stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
[dir="rtl"] :is(h2, h3, h4, p, a, button, label, legend, li, span, summary, textarea) { unicode-bidi: plaintext; }
[dir="rtl"] .icon-arrow, [dir="rtl"] .icon-differ { transform: scaleX(-1); }
:focus { outline: none; }
:focus-visible { outline: 3px solid var(--bl-focus); }
:focus-visible:not(h3) { outline-offset: 2px; }

.panel { display: flex; flex-direction: column; block-size: 100%; min-block-size: 0; container: panel / inline-size;
  background: var(--bl-bg); color: var(--bl-text); }
.bar { display: flex; align-items: center; gap: var(--bl-space-2); padding: var(--bl-space-1) var(--bl-space-4);
  background: var(--bl-surface); border-block-end: 1px solid var(--bl-border); }
.mark { display: grid; place-items: center; inline-size: 34px; block-size: 34px; border-radius: var(--bl-radius-s);
  background: var(--bl-hue); color: var(--bl-on-hue); flex: none; }
.mark .icon { inline-size: 24px; block-size: 24px; stroke-width: 2.2; }
.names { flex: 1; min-inline-size: 0; display: flex; flex-direction: column; }
.names b { font-weight: 700; font-size: calc(1.25 * var(--u)); line-height: calc(1.625 * var(--u)); }
.names span { display: none; font-size: calc(0.8125 * var(--u)); line-height: calc(1.125 * var(--u)); color: var(--bl-text-muted); }
.plain { display: inline-flex; align-items: center; justify-content: center; min-inline-size: 44px; min-block-size: 48px;
  padding: 0 var(--bl-space-2); border: 1px solid transparent; border-radius: var(--bl-radius-s); background: none;
  color: var(--bl-hue); font-weight: 700; }
.plain:hover { background: var(--bl-accent-soft); }
select.plain { appearance: none; text-align: center; max-inline-size: 8em; }
select.plain option { background: var(--bl-surface); color: var(--bl-text); font-weight: 400; }
.new .word { display: none; }
.strip { display: flex; flex-wrap: wrap; gap: 0 var(--bl-space-4); align-items: baseline; padding: var(--bl-space-2) var(--bl-space-4);
  background: var(--bl-sunken); color: var(--bl-text-muted); font-size: calc(0.875 * var(--u)); line-height: calc(1.25 * var(--u)); }
.strip b { font-weight: 700; color: var(--bl-text); }
.strip a { color: var(--bl-hue); font-weight: 700; text-decoration: none; padding: 3px 1px; }
.strip a:hover { text-decoration: underline; }
.strip .signs { display: none; }

.talk { flex: 1 1 auto; min-block-size: 0; overflow: auto; overscroll-behavior: contain; position: relative; padding: var(--bl-space-5) var(--bl-space-4);
  scroll-padding-block: var(--bl-space-3) var(--bl-space-6); }
.talk :is(button, a, summary, input, textarea) { scroll-margin-block: var(--bl-space-6); }
.column, .composer > :not(.hidden) { inline-size: 100%; max-inline-size: calc(42 * var(--u)); margin-inline: auto; }
.empty { display: grid; gap: var(--bl-space-3); padding-block: var(--bl-space-4); }
.empty h2 { font-weight: 700; font-size: calc(1.5 * var(--u)); line-height: calc(1.875 * var(--u)); }
.empty .lead { color: var(--bl-text-muted); margin-block-end: var(--bl-space-2); }
.choices { display: grid; gap: var(--bl-space-2); }
.choice { min-block-size: 48px; padding: var(--bl-space-3) var(--bl-space-5); border: 1.5px solid var(--bl-control); border-radius: var(--bl-radius-m);
  background: var(--bl-surface); color: var(--bl-text); text-align: start; overflow-wrap: anywhere; }
.choice:hover, .choice[aria-pressed="true"] { border-color: var(--bl-hue); background: var(--bl-accent-soft); }
.choice.primary { background: var(--bl-hue); border-color: var(--bl-hue); color: var(--bl-on-hue); font-weight: 700; text-align: center; }
.choice.narrow { justify-self: start; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: var(--bl-space-2) var(--bl-space-3); }
.muted { color: var(--bl-text-muted); }
.small { font-size: calc(0.875 * var(--u)); line-height: calc(1.25 * var(--u)); color: var(--bl-text-muted); }
.fine { font-size: calc(0.8125 * var(--u)); line-height: calc(1.125 * var(--u)); color: var(--bl-text-muted); overflow-wrap: anywhere; }

.composer { flex: none; position: sticky; inset-block-end: 0; padding: var(--bl-space-3) var(--bl-space-4) max(var(--bl-space-3), env(safe-area-inset-bottom));
  background: var(--bl-surface); border-block-start: 1px solid var(--bl-border); }
.box { display: flex; align-items: flex-end; gap: var(--bl-space-2); padding: 4px; border: 1.5px solid var(--bl-control); border-radius: var(--bl-radius-m);
  background: var(--bl-surface); }
.box:focus-within { outline: 3px solid var(--bl-focus); outline-offset: 2px; }
.box textarea { flex: 1; min-inline-size: 0; min-block-size: 48px; max-block-size: calc(9 * var(--u)); padding: 11px var(--bl-space-3); border: 0; background: none; resize: none;
  outline: none; field-sizing: content; line-height: calc(1.5 * var(--u)); }
.box textarea::placeholder { color: var(--bl-text-muted); opacity: 1; }
.send { display: grid; place-items: center; min-inline-size: 48px; min-block-size: 48px; border: 1px solid transparent; border-radius: 10px; flex: none;
  background: var(--bl-hue); color: var(--bl-on-hue); font-weight: 700; }
.send[aria-disabled="true"] { background: var(--bl-sunken); color: var(--bl-text-muted); cursor: default; }
.send.stop { padding: 0 var(--bl-space-3); background: var(--bl-surface); color: var(--bl-text); border: 1.5px solid var(--bl-control); }
.composer .fine { margin-block-start: var(--bl-space-2); }
.composer .hint { color: var(--bl-text); }

[data-mode="search"] .panel { background: none; }
[data-mode="search"] .composer { order: -1; position: static; border: 0; background: none; padding-inline: 0; }
[data-mode="search"] .strip { order: -2; }
[data-mode="search"] .talk { padding-inline: 0; }
@media (max-height: 480px) { .composer { position: static; } }
`;

const reply = `
.turns { display: grid; gap: var(--bl-space-6); }
.turn { display: grid; gap: var(--bl-space-5); align-content: start; min-inline-size: 0; }
.turn + .turn:last-child { min-block-size: var(--bl-turn-height, 0); }
.bubble { justify-self: end; max-inline-size: 89%; padding: var(--bl-space-3) var(--bl-space-4); background: var(--bl-accent-soft); overflow-wrap: anywhere; white-space: pre-wrap;
  border: 1px solid transparent; border-radius: var(--bl-radius-l) var(--bl-radius-l) 2px var(--bl-radius-l); max-block-size: calc(12 * var(--u)); overflow: auto; }
[dir="rtl"] .bubble { border-radius: var(--bl-radius-l) var(--bl-radius-l) var(--bl-radius-l) 2px; }
.reply, .main { display: grid; gap: var(--bl-space-4); min-inline-size: 0; align-content: start; }
.busy { display: flex; align-items: center; gap: var(--bl-space-2); color: var(--bl-text-muted); }
.dots { display: inline-flex; gap: var(--bl-space-1); }
.dots i { inline-size: 7px; block-size: 7px; border-radius: 50%; background: var(--bl-hue); animation: pulse 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: 0.2s; }
.dots i:nth-child(3) { animation-delay: 0.4s; }
@keyframes pulse { 0%, 60%, 100% { opacity: 0.35; } 30% { opacity: 1; } }
@keyframes appear { from { opacity: 0; } }
.sentence { display: grid; gap: var(--bl-space-3); animation: appear 120ms; min-inline-size: 0; }
.head { font-weight: 700; }
.head.title { font-size: calc(1.5 * var(--u)); line-height: calc(1.875 * var(--u)); }
.part { font-weight: 700; font-size: calc(1.25 * var(--u)); line-height: calc(1.625 * var(--u)); }
.badge { display: inline-flex; align-items: center; min-block-size: 28px; padding: 1px 11px; border: 1.5px solid var(--bl-control); border-radius: 14px;
  background: none; font-size: calc(0.875 * var(--u)); line-height: calc(1.25 * var(--u)); color: var(--bl-text-muted); }
.answer { font-size: calc(1.0625 * var(--u)); line-height: calc(1.625 * var(--u) * var(--bl-tall, 1)); overflow-wrap: anywhere; max-inline-size: calc(34 * var(--u)); }
.tail { white-space: nowrap; unicode-bidi: isolate; }
.chip { display: inline-grid; place-items: center; min-inline-size: 26px; min-block-size: 26px; margin-inline-start: 6px; padding: 0 4px; border: 1px solid transparent; border-radius: var(--bl-radius-s);
  background: var(--bl-accent-soft); color: var(--bl-hue); font-size: calc(0.875 * var(--u)); font-weight: 700; line-height: 1; vertical-align: 1px; unicode-bidi: isolate; }
button.chip { position: relative; }
/* The finger's target is larger than what is drawn. */
button.chip::after { content: ""; position: absolute; inset: -6px -3px; }
.chip[aria-expanded="true"] { background: var(--bl-hue); color: var(--bl-on-hue); }
.chip:focus-visible { outline-offset: 1px; }
.card { display: grid; gap: var(--bl-space-2); padding: var(--bl-space-4); border: 1.5px solid var(--bl-hue); border-radius: var(--bl-radius-m); background: var(--bl-surface);
  overflow-wrap: anywhere; min-inline-size: 0; }
.card h4, .source h4 { font-weight: 700; font-size: calc(0.9375 * var(--u)); line-height: calc(1.3125 * var(--u)); }
.card h4 + .small { margin-block-start: -6px; }
.says { display: grid; gap: var(--bl-space-1); padding: var(--bl-space-2) var(--bl-space-3); }
.says.digest { background: var(--bl-sunken); border: 1px solid transparent; border-radius: var(--bl-radius-s); }
.says.quote { border-inline-start: 4px solid var(--bl-hue); }
.says p { font-size: calc(0.9375 * var(--u)); line-height: calc(1.4375 * var(--u)); }
.says .small { font-size: calc(0.875 * var(--u)); line-height: calc(1.25 * var(--u)); }
.says mark { background: var(--bl-mark); color: var(--bl-text); border-radius: 3px; padding-block: 2px; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.evidence { display: flex; gap: var(--bl-space-2); font-size: calc(0.875 * var(--u)); line-height: calc(1.25 * var(--u)); color: var(--bl-text-muted); }
.evidence .icon { inline-size: calc(1.125 * var(--u)); block-size: calc(1.125 * var(--u)); margin-block-start: 1px; }
.link { color: var(--bl-hue); font-weight: 700; text-underline-offset: 3px; overflow-wrap: anywhere; }
.card > p > .link { display: inline-block; padding-block: 3px; font-size: calc(0.9375 * var(--u)); }
.framed { display: grid; gap: var(--bl-space-3); padding: var(--bl-space-4); border: 1.5px solid var(--bl-control); border-radius: var(--bl-radius-m); overflow-wrap: anywhere; }
.framed h4 { display: flex; gap: var(--bl-space-2); align-items: start; font-weight: 700; font-size: calc(1.125 * var(--u)); line-height: calc(1.5 * var(--u)); }
.found { padding: var(--bl-space-3) var(--bl-space-4); border: 1px solid var(--bl-border); border-radius: var(--bl-radius-m); background: var(--bl-surface); }
.found .answer { font-size: calc(1 * var(--u)); line-height: calc(1.5 * var(--u)); }
.sources { display: grid; gap: var(--bl-space-2); }
.source { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: var(--bl-space-3); padding: var(--bl-space-3); border: 1px solid var(--bl-border); border-radius: var(--bl-radius-m); background: var(--bl-surface);
  overflow-wrap: anywhere; }
.sources > .plain { justify-self: start; padding: 0; text-decoration: underline; text-underline-offset: 3px; }
.source .chip { margin: 0; align-self: start; }
.card h4 .chip { display: none; }
.framed .sentence { gap: 0; }
.body { display: block; min-inline-size: 0; }
.rail { display: none; }
.fold { border: 1.5px solid var(--bl-control); border-radius: var(--bl-radius-m); background: var(--bl-surface); }
.fold > summary { display: flex; align-items: center; justify-content: space-between; gap: var(--bl-space-3); min-block-size: 48px; padding: var(--bl-space-2) var(--bl-space-5); list-style: none; border-radius: var(--bl-radius-m); }
.fold > summary::-webkit-details-marker { display: none; }
.fold[open] > summary .icon { transform: rotate(180deg); }
.fold > .body { padding: var(--bl-space-2) var(--bl-space-4) var(--bl-space-4); }
.failure { border-inline-start: 4px solid var(--bl-control); padding-inline-start: var(--bl-space-3); display: grid; gap: var(--bl-space-2); justify-items: start; }
`;

const notices = `
.notice { display: grid; gap: var(--bl-space-3); padding: var(--bl-space-4); border: 1px solid transparent; border-radius: var(--bl-radius-l); overflow-wrap: anywhere; scroll-margin-block-start: var(--bl-space-3); }
.notice h3 { display: grid; gap: var(--bl-space-1); font-weight: 700; border-radius: var(--bl-radius-s); outline-offset: 5px; }
.level { display: flex; align-items: center; gap: var(--bl-space-2); font-size: calc(1 * var(--u)); }
.title { font-size: calc(1.5 * var(--u)); line-height: calc(1.875 * var(--u)); }
.notice.emergency { background: var(--bl-emergency); color: var(--bl-emergency-text); border-color: var(--bl-emergency-line); --bl-focus: var(--bl-emergency-text); }
.notice.selfharm { background: var(--bl-accent-soft); color: var(--bl-text); }
.notice.today { background: var(--bl-today); color: var(--bl-today-text); --edge: var(--bl-today-line); }
.notice.soon { background: var(--bl-soon); color: var(--bl-soon-text); --edge: var(--bl-soon-line); }
.notice.info { background: var(--bl-info); color: var(--bl-info-text); --edge: var(--bl-info-line); }
.notice:is(.today, .soon, .info) { border-inline-start: 8px solid var(--edge); }
.notice .fine, .notice .link { color: inherit; }
.calls { display: flex; flex-wrap: wrap; gap: var(--bl-space-2); }
.call { flex: 1 1 100%; display: grid; place-items: center; min-block-size: 56px; padding: var(--bl-space-1) var(--bl-space-3); border: 1px solid transparent; border-radius: var(--bl-radius-m); text-align: center;
  background: var(--bl-emergency-button); color: var(--bl-emergency-button-text); font-size: calc(1.125 * var(--u)); font-weight: 700; text-decoration: none; }
.notice.selfharm .call { background: var(--bl-hue); color: var(--bl-on-hue); }
.notice .foot { display: grid; gap: var(--bl-space-1); padding-block-start: var(--bl-space-3); border-block-start: 1px solid currentColor; font-size: calc(0.9375 * var(--u)); }
.notice:not(.emergency) .foot { border: 0; padding: 0; font-size: calc(0.875 * var(--u)); }
.notice b { font-weight: 700; }
.notice summary { display: inline-block; padding-block: 3px; text-decoration: underline; text-underline-offset: 3px; list-style: none; border-radius: 4px; }
.notice summary::-webkit-details-marker { display: none; }
.notice details ul { display: grid; gap: var(--bl-space-1); padding-block-start: var(--bl-space-1); }
.only-if { padding: var(--bl-space-4); border: 1.5px solid var(--bl-emergency-line); border-inline-start-width: 8px; border-radius: var(--bl-radius-m); background: var(--bl-surface); overflow-wrap: anywhere; }
.only-if b { font-weight: 700; }
.back { justify-self: start; display: inline-flex; gap: var(--bl-space-2); align-items: center; min-block-size: 44px; padding: 0; border: 0; background: none; color: var(--bl-hue); font-weight: 700; text-decoration: underline; text-underline-offset: 3px; text-align: start; }
`;

const widths = `
@container panel (min-width: 360px) { .call { flex: 1 1 auto; padding-inline: var(--bl-space-2); white-space: nowrap; } }
@container panel (min-width: 420px) { .new .word { display: inline; } .new .icon { display: none; } }
@container panel (min-width: 480px) {
  .bar, .strip, .talk, .composer { padding-inline: var(--bl-space-5); }
  .card, .framed { padding: var(--bl-space-4) var(--bl-space-5); }
  .notice { padding: var(--bl-space-5); }
  .answer { font-size: calc(1.125 * var(--u)); line-height: calc(1.75 * var(--u) * var(--bl-tall, 1)); }
}
@container panel (min-width: 768px) {
  .strip { padding-inline: max(var(--bl-space-5), calc((100% - 42 * var(--u)) / 2)); }
  .bar { padding-inline: max(var(--bl-space-5), calc((100% - 42 * var(--u)) / 2)); }
  .bar .names span { display: block; }
  .strip .signs { display: inline-block; padding: 3px 1px; border: 0; background: none; min-block-size: 24px; color: var(--bl-hue); font-weight: 700; text-decoration: underline; text-underline-offset: 3px; text-align: start; }
  .empty { padding-block: var(--bl-space-8) var(--bl-space-6); }
}
`;

const media = `
@media (prefers-reduced-motion: reduce) {
  .root *, .root *::before { animation: none !important; scroll-behavior: auto !important; }
  .dots { display: none; }
}
@media (forced-colors: active) {
  .mark, .send, .call, .choice.primary { border: 1px solid ButtonText; }
  .says mark { background: Mark; color: MarkText; }
  .chip[aria-expanded="true"] { background: Highlight; color: HighlightText; forced-color-adjust: none; }
}
`;

let measured = null;

/**
 * Make --bl-unit a length, so that "1em" at our root is the reader's own text size and stays it further down,
 * even in pages that shrink their root element. Older browsers go by the page's rem.
 */
export function registerUnit() {
  try {
    measured ??= CSS.registerProperty({ name: "--bl-unit", syntax: "<length>", inherits: true, initialValue: "16px" }) ?? true;
  } catch (error) {
    measured = error.name === "InvalidModificationError";
  }
  return measured;
}

export const sheet = new CSSStyleSheet();
sheet.replaceSync(tokens + frame + reply + notices + widths + media);
