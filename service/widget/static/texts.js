/**
 * Every text of the interface, by key. A language is one more strings.<language>.js and one line in LANGUAGES.
 * Urgent texts fall back to English, and whoever shows them asks `languageOf` so that they are marked as English.
 */
import english from "./strings.en.js";

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ps", "ur", "yi"]);

/** Languages that are shipped, under their own names. */
export const LANGUAGES = { en: "English", es: "Español", de: "Deutsch", fr: "Français" };

const LOADERS = {
  en: () => Promise.resolve({ default: english }),
  es: () => import("./strings.es.js"),
  de: () => import("./strings.de.js"),
  fr: () => import("./strings.fr.js"),
};

/** "de-AT" -> "de"; anything that is no language tag -> "en". */
export function languageOfTag(tag) {
  const match = /^[a-z]{2,3}(?=$|[-_])/i.exec(tag || "");
  return match ? match[0].toLowerCase() : "en";
}

export class Texts {
  /**
   * @param {string} language language of the interface, such as "de"
   * @param {Record<string, string|{one: string, other: string}>} table its strings; may lack keys
   */
  constructor(language, table) {
    this.language = language;
    this.table = table;
    this.direction = RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr";
    this.plurals = new Intl.PluralRules(Object.hasOwn(LOADERS, language) ? language : "en");
    // Dates follow the reader's own region where it speaks the same language: en-GB and en-US write them differently.
    this.region = navigator.languages?.find((tag) => languageOfTag(tag) === language) ?? language;
  }

  /** Load the strings of a language tag; a language that is not shipped is shown in English. */
  static async load(tag) {
    const language = languageOfTag(tag);
    const load = LOADERS[language];
    if (!load) return new Texts(language, {});
    try {
      return new Texts(language, (await load()).default);
    } catch {
      return new Texts(language, {});
    }
  }

  static english() {
    return new Texts("en", english);
  }

  /** One text with its {names} filled in; `n` also picks the plural. */
  say(key, values = {}) {
    const entry = this.table[key] ?? english[key] ?? key;
    const form = typeof entry === "string" ? entry : (entry[this.plurals.select(values.n)] ?? entry.other);
    return form.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
  }

  /** Language that a key's text is really in. */
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
