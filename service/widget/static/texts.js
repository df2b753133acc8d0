/** Every text of the interface, by key. Urgent texts fall back to English, and `mark` says so where they stand. */
import english from "./strings.en.js";

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ps", "ur", "yi"]);

/** Languages that are shipped: one line and one strings.<language>.js each. */
export const LANGUAGES = { en: "English", es: "Español", de: "Deutsch", fr: "Français" };

/** "de-AT" -> "de"; anything that is no language tag -> "en". */
export function languageOfTag(tag) {
  const match = /^[a-z]{2,3}(?=$|[-_])/i.exec(tag || "");
  return match ? match[0].toLowerCase() : "en";
}

export class Texts {
  /** @param {Record<string, string|{one: string, other: string}>} table strings of the language; may lack keys */
  constructor(language, table) {
    this.language = language;
    this.table = table;
    this.direction = RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr";
    // Where the texts are English, so are their plurals and the names of months inside them.
    const spoken = Object.hasOwn(LANGUAGES, language) ? language : "en";
    this.plurals = new Intl.PluralRules(spoken);
    // Dates follow the reader's own region where it speaks the same language: en-GB and en-US write them differently.
    this.region = navigator.languages?.find((tag) => languageOfTag(tag) === spoken) ?? spoken;
  }

  /** Load the strings of a language tag; a language that is not shipped is shown in English. */
  static async load(tag) {
    const language = languageOfTag(tag);
    if (language === "en") return Texts.english();
    const strings = Object.hasOwn(LANGUAGES, language) && (await import(`./strings.${language}.js`).catch(() => null));
    return new Texts(language, strings ? strings.default : {});
  }

  static english() {
    return new Texts("en", english);
  }

  /** One text with its {names} filled in; `n` picks the plural. */
  say(key, values = {}) {
    const entry = this.table[key] ?? english[key] ?? key;
    const form = typeof entry === "string" ? entry : (entry[this.plurals.select(values.n)] ?? entry.other);
    return form.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
  }

  languageOf(key) {
    return Object.hasOwn(this.table, key) ? this.language : "en";
  }

  /** lang attribute for a text: only where it differs from the interface. */
  mark(key) {
    const language = this.languageOf(key);
    return language === this.language ? {} : { lang: language, dir: "ltr" };
  }

  /** A date as far as it is known: "2013", "2013-05" or "2013-05-02" (a time is cut off). Null if it is no date. */
  date(value) {
    const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:$|T)/.exec(value || "");
    if (!match) return null;
    const [, year, month, day] = match;
    const when = new Date(Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1)));
    if (Number.isNaN(when.getTime())) return null;
    const parts = { timeZone: "UTC", year: "numeric" };
    if (month) parts.month = "short";
    if (day) parts.day = "numeric";
    const ageInYears = (Date.now() - when.getTime()) / 31_557_600_000;
    return { text: new Intl.DateTimeFormat(this.region, parts).format(when), old: ageInYears > 5 };
  }
}
