// What owners may set for themselves, and what is known of them.

import { ask } from './api.js';
import { freshId, make } from './dom.js';
import { choice, textField, whileBusy } from './fields.js';
import { notice } from './notices.js';
import { routingCard } from './routing.js';
import { LANGUAGES, chooseLanguage, chosenLanguage, say, sayRefusal } from './say.js';
import { secretsCards } from './secrets.js';

export function settingsView(owner) {
    const { me } = owner;
    const element = make('section', { class: 'view' },
        make('div', { class: 'title' }, make('h1', { tabindex: -1 }, say('settings.title'))),
        routingCard(owner).element, phoneCard(owner), regionCard(owner), ...secretsCards(owner), account(me));
    return { element, start: () => {}, refresh: () => {}, counted: () => {}, stop: () => {} };
}

/// A card that saves some settings. `fields` are by the server's names; `wanted` gives what to save.
function settingsCard(title, owner, children, wanted, fields = {}) {
    const submit = make('button', { type: 'submit', class: 'chief' }, say('settings.save'));
    const wrong = make('p', { class: 'wrong', role: 'alert' });
    const id = freshId();
    const form = make('form', { class: 'card', novalidate: true, 'aria-labelledby': id }, make('h2', { id }, title), children, wrong, make('div', { class: 'actions' }, submit));
    form.addEventListener('submit', whileBusy(submit, async () => {
        wrong.textContent = '';
        try {
            owner.took(await ask('PATCH', 'me', wanted()));
            notice(say('settings.saved'));
        } catch (error) {
            const field = error.code === 'invalid' ? fields[error.told.split(':')[0]] : undefined;
            if (field === undefined) wrong.textContent = sayRefusal(error);
            else field.wrong(say('settings.not_known'));
            (field ?? submit).focus();
        }
    }));
    return form;
}

function phoneCard(owner) {
    const number = textField(say('settings.dial_string'), {
        value: owner.me.play_on_phone_dial_string ?? '', maxlength: 128, autocomplete: 'tel', hint: say('settings.dial_string_hint') });
    const missed = choice('checkbox', say('settings.missed'), { checked: owner.me.missed_call_notices });
    return settingsCard(say('settings.phone_title'), owner, [number.element, make('h3', {}, say('settings.missed_title')), missed.element],
        () => ({ play_on_phone_dial_string: number.value() || null, missed_call_notices: missed.input.checked }));
}

function regionCard(owner) {
    const id = freshId();
    const zones = freshId();
    const language = make('select', { id, on: { change: () => { chooseLanguage(language.value); owner.speak(); } } },
        make('option', { value: '', selected: chosenLanguage() === '' }, say('settings.page_language_auto')),
        Object.entries(LANGUAGES).map(([code, words]) => make('option', { value: code, lang: code, selected: chosenLanguage() === code }, words.language)));
    const zone = textField(say('settings.time_zone'), {
        value: owner.me.time_zone ?? '', maxlength: 64, list: zones, autocomplete: 'off', hint: say('settings.time_zone_hint') });
    const known = make('datalist', { id: zones }, (Intl.supportedValuesOf?.('timeZone') ?? []).map(value => make('option', { value })));
    return settingsCard(say('settings.region_title'), owner, [
        make('div', { class: 'field' }, make('label', { for: id }, say('settings.page_language')), language), zone.element, known,
    ], () => ({ time_zone: zone.value() || null }), { time_zone: zone });
}

function account(me) {
    const rows = [
        ['name', me.name], ['address', me.address], ['extension', me.extension], ['language', LANGUAGES[me.language]?.language ?? me.language],
    ].filter(([, value]) => value);
    return make('section', { class: 'card' },
        make('h2', {}, say('settings.account')),
        make('dl', {}, rows.map(([name, value]) => [make('dt', {}, say(`settings.${name}`)), make('dd', {}, value)]).flat()),
        make('p', { class: 'note' }, say('settings.elsewhere')));
}
