/**
 * Colours and measures. Sites may set the ones under OPEN on <backline-ask>; all the others are declared inside,
 * where no outer rule reaches: a warning looks like a warning on every page.
 */
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

// In auto the page's own scheme decides, not only the system's: the host's computed colour scheme is not visible to
// CSS, so `auto` follows the system and a site with a switch of its own sets the attribute.
export const tokens = `
:host { ${OPEN} }
.root { ${LIGHT} }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"], [theme="dark"])) .root { ${DARK} } }
:host([theme="dark"]) .root { ${DARK} }
.root {
  --bl-hue: var(--bl-accent, var(--bl-own-accent)); --bl-on-hue: var(--bl-on-accent, var(--bl-own-on-accent));
  --bl-space-1: 4px; --bl-space-2: 8px; --bl-space-3: 12px; --bl-space-4: 16px;
  --bl-space-5: 20px; --bl-space-6: 24px; --bl-space-7: 32px; --bl-space-8: 48px;
}
.root.accent-refused { --bl-hue: var(--bl-own-accent); --bl-on-hue: var(--bl-own-on-accent); }
`;
