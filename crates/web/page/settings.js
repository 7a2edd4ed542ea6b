// What owners may set for themselves, and what is known of them.

import { ask } from './api.js';
import { freshId, make } from './dom.js';
import { notice } from './notices.js';
import { say, sayRefusal } from './say.js';

export function settingsView(owner) {
    const { me } = owner;
    const ids = { number: freshId(), hint: freshId() };
    const number = make('input', {
        type: 'text', id: ids.number, value: me.play_on_phone_dial_string ?? '', maxlength: 128, autocomplete: 'tel',
        spellcheck: 'false', 'aria-describedby': ids.hint,
    });
    const missed = make('input', { type: 'checkbox', checked: me.missed_call_notices });
    const wrong = make('p', { class: 'wrong', role: 'alert' });
    const form = make('form', { class: 'card', novalidate: true, on: { submit: save } },
        make('h2', {}, say('settings.phone_title')),
        make('div', { class: 'field' },
            make('label', { for: ids.number }, say('settings.dial_string')), number,
            make('p', { class: 'hint', id: ids.hint }, say('settings.dial_string_hint'))),
        make('h2', {}, say('settings.missed_title')),
        make('label', { class: 'choice' }, missed, make('span', {}, say('settings.missed'))),
        wrong,
        make('div', { class: 'actions' }, make('button', { type: 'submit', class: 'chief' }, say('settings.save'))));
    const element = make('section', { class: 'view' },
        make('div', { class: 'title' }, make('h1', { tabindex: -1 }, say('settings.title'))), form, account(me));

    return { element, start: () => {}, refresh: () => {}, counted: () => {}, stop: () => {} };

    async function save(event) {
        event.preventDefault();
        wrong.textContent = '';
        const wanted = { play_on_phone_dial_string: number.value.trim() || null, missed_call_notices: missed.checked };
        try {
            owner.took(await ask('PATCH', 'me', wanted));
            notice(say('settings.saved'));
        } catch (error) {
            wrong.textContent = sayRefusal(error);
            number.focus();
        }
    }
}

function account(me) {
    const rows = [
        ['name', me.name], ['address', me.address], ['extension', me.extension],
        ['language', me.language], ['time_zone', me.time_zone],
    ].filter(([, value]) => value);
    return make('section', { class: 'card' },
        make('h2', {}, say('settings.account')),
        make('dl', {}, rows.map(([name, value]) => [make('dt', {}, say(`settings.${name}`)), make('dd', {}, value)]).flat()),
        make('p', { class: 'note' }, say('settings.elsewhere')));
}
