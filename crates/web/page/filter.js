// Looking for messages: by words, by state, by importance.

import { button, freshId, icon, make } from './dom.js';
import { say } from './say.js';

/// After so long without another letter it is looked for.
const TYPED_MILLISECONDS = 250;

/// What each choice asks the server for.
const SHOWN = {
    all: { state: 'kept' },
    new: { state: 'new' },
    old: { state: 'old' },
    urgent: { state: 'kept', importance: 'high' },
};

/// The bar above the list of a folder. `changed` is called when something else is looked for.
export function messageFilter(folder, changed) {
    const ids = { search: freshId(), shown: freshId() };
    const search = make('input', {
        type: 'search', id: ids.search, placeholder: say('messages.search_hint'), maxlength: 256, autocomplete: 'off', spellcheck: 'false',
        on: { input: typed, keydown: leave },
    });
    const shown = make('select', { id: ids.shown, on: { change: changed } },
        Object.keys(SHOWN).map(each => make('option', { value: each }, say(`messages.show_${each}`))));
    const clear = make('button', { type: 'button', class: 'bare', 'aria-label': say('messages.search_clear'), hidden: true, on: { click: () => reset() } }, icon('close'));
    const element = make('form', { class: 'filter', role: 'search', on: { submit: event => { event.preventDefault(); now(); } } },
        make('div', { class: 'search' }, icon('search'),
            make('label', { for: ids.search, class: 'unseen' }, say('messages.search')), search, clear),
        folder === 'kept' && make('label', { for: ids.shown, class: 'unseen' }, say('messages.show')),
        folder === 'kept' && shown);
    let waiting = null;
    let asked = '';

    return {
        element,
        focus: () => { search.focus(); search.select(); },
        isActive: () => search.value.trim() !== '' || shown.value !== 'all',
        query,
        reset,
        everything: () => button(say('messages.show_everything'), reset, { picture: 'restore' }),
    };

    function query() {
        const wanted = new URLSearchParams(folder === 'deleted' ? { state: 'deleted' } : SHOWN[shown.value]);
        if (search.value.trim() !== '') wanted.set('search', search.value.trim());
        return wanted;
    }

    function typed() {
        clear.hidden = search.value === '';
        clearTimeout(waiting);
        waiting = setTimeout(now, TYPED_MILLISECONDS);
    }

    function now() {
        clearTimeout(waiting);
        if (search.value.trim() === asked) return;
        asked = search.value.trim();
        changed();
    }

    function leave(event) {
        if (event.key !== 'Escape' || search.value === '') return;
        event.preventDefault();
        reset();
    }

    function reset() {
        search.value = '';
        shown.value = 'all';
        asked = '';
        clear.hidden = true;
        clearTimeout(waiting);
        search.focus();
        changed();
    }
}
