/** Languages to choose from: those that most subtitle files are in, by the names that people who speak them use. */

const TAGS = [
  ...['ar', 'bn', 'bg', 'ca', 'cs', 'cy', 'da', 'de', 'el', 'en', 'es', 'es-419', 'et', 'eu', 'fa', 'fi', 'fil', 'fr', 'ga', 'gl'],
  ...['he', 'hi', 'hr', 'hu', 'id', 'is', 'it', 'ja', 'ka', 'ko', 'lt', 'lv', 'mk', 'ms', 'nb', 'nl', 'nn', 'pa', 'pl', 'pt', 'pt-BR'],
  ...['ro', 'ru', 'sk', 'sl', 'sq', 'sr', 'sv', 'sw', 'ta', 'te', 'th', 'tr', 'uk', 'ur', 'vi', 'zh-Hans', 'zh-Hant'],
];

export interface LanguageChoice {
  /** BCP 47. */
  readonly tag: string;
  readonly name: string;
}

/** All of them by name, and `also` if it is none of them. */
export function languageChoices(also: string): readonly LanguageChoice[] {
  const tags = TAGS.includes(also) || also === 'und' ? TAGS : [...TAGS, also];
  return tags.map((tag) => ({ tag, name: nameOf(tag) })).sort((a, b) => a.name.localeCompare(b.name));
}

function nameOf(tag: string): string {
  const own = new Intl.DisplayNames([tag, 'en'], { type: 'language' }).of(tag) ?? tag;
  return own.charAt(0).toLocaleUpperCase(tag) + own.slice(1);
}
