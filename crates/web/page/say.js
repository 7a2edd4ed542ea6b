// Texts with their gaps filled in, times and lengths as people read them, in the language that is chosen.

import { kept, keep } from './kept.js';
import { words as de } from './words-de.js';
import { words as en } from './words-en.js';

/// The languages of the page. The first is for whoever knows none of them.
export const LANGUAGES = { en, de };
const FIRST = 'en';
/// Where the choice made on the page is kept.
const CHOICE = 'language';

let language = FIRST;
let words = en;
let plural = new Intl.PluralRules(language);
let locale = 'en-GB';

/// The language that was chosen on the page; empty where none was.
export const chosenLanguage = () => {
    const chosen = kept(CHOICE);
    return chosen in LANGUAGES ? chosen : '';
};

/// Chooses one, or with an empty text goes back to what the browser and the owner's setting say.
export const chooseLanguage = chosen => keep(CHOICE, chosen);

/// Speaks the language that was chosen; else the `owner`'s where it is not the one that everybody has; else the first
/// of the browser's that there is.
export function speak(owner) {
    const browsers = navigator.languages.map(each => each.split('-')[0]);
    const wanted = [chosenLanguage(), owner === FIRST ? undefined : owner?.split('-')[0], ...browsers, FIRST];
    language = wanted.find(each => each in LANGUAGES);
    words = LANGUAGES[language];
    plural = new Intl.PluralRules(language);
    // People's own habits of writing times, where they are of the page's language.
    locale = navigator.languages.find(each => each.split('-')[0] === language) ?? (language === 'en' ? 'en-GB' : language);
    document.documentElement.lang = language;
}

/// The text at `path`, such as `messages.title`. What callers chose is put in as it is, and shown as text only.
export function say(path, values = {}) {
    let text = path.split('.').reduce((branch, step) => branch?.[step], words);
    if (text !== null && typeof text === 'object') {
        text = text[plural.select(values.count)] ?? text.other;
    }
    return (text ?? path).replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

/// What to tell a person about an error of the API.
export function sayRefusal(error) {
    const text = Object.hasOwn(words.refused, error.code) ? words.refused[error.code] : words.refused.otherwise;
    return text.replace('{message}', () => error.told ?? '');
}

/// The name of a day of the week; Monday is 0.
export const sayWeekday = day => new Date(Date.UTC(2024, 0, 1 + day)).toLocaleDateString(locale, { timeZone: 'UTC', weekday: 'long' });

/// "Today, 14:05", "Tuesday, 09:30", "3 November 2026, 09:30", in the owner's time zone.
export function sayWhen(instant, zone, now = new Date()) {
    const date = new Date(instant);
    const time = date.toLocaleTimeString(locale, { timeZone: zone, hour: '2-digit', minute: '2-digit' });
    const days = dayNumber(now, zone) - dayNumber(date, zone);
    return say('time.at', { day: sayDay(date, days, zone, now), time });
}

function sayDay(date, days, zone, now) {
    if (days === 0) return words.time.today;
    if (days === 1) return words.time.yesterday;
    if (days > 1 && days < 7) return date.toLocaleDateString(locale, { timeZone: zone, weekday: 'long' });
    const year = { timeZone: zone, year: 'numeric' };
    const thisYear = date.toLocaleDateString('en', year) === now.toLocaleDateString('en', year);
    const form = { timeZone: zone, day: 'numeric', month: 'long', year: thisYear ? undefined : 'numeric' };
    return date.toLocaleDateString(locale, form);
}

/// Days since an arbitrary one, by the calendar on the wall of that zone.
function dayNumber(date, zone) {
    const wall = date.toLocaleDateString('en-CA', { timeZone: zone });
    return Math.round(Date.parse(`${wall}T00:00:00Z`) / 86_400_000);
}

/// The zone if the browser knows it; else the browser's own.
export function knownZone(zone) {
    try {
        new Intl.DateTimeFormat(locale, { timeZone: zone ?? undefined });
        return zone ?? undefined;
    } catch {
        return undefined;
    }
}

/// "1:05", for eyes.
export function clock(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/// "1 minute 5 seconds", for ears.
export function sayLength(seconds) {
    const whole = Math.max(0, Math.round(seconds));
    const rest = say('length.seconds', { count: whole % 60 });
    if (whole < 60) return rest;
    const minutes = say('length.minutes', { count: Math.floor(whole / 60) });
    return whole % 60 === 0 ? minutes : say('length.both', { minutes, seconds: rest });
}
