// Keys that do something wherever one stands on the page, and the list of them. They can be switched off, since speech
// input and slips of the hand press letters too (WCAG 2.1.4).

import { button, freshId, make } from './dom.js';
import { keep, kept } from './kept.js';
import { say } from './say.js';

const OFF = 'shortcuts-off';

const KEYS = {
    j: 'next', ArrowDown: 'next', k: 'previous', ArrowUp: 'previous', ' ': 'play', ArrowLeft: 'back', ArrowRight: 'forth',
    p: 'phone', m: 'mark', d: 'remove', Delete: 'remove', z: 'undo', x: 'select', '/': 'search', '?': 'help',
};
const TOLD = ['next', 'previous', 'toggle', 'play', 'seek', 'phone', 'mark', 'remove', 'undo', 'select', 'search', 'help'];

/// Listens for the keys of the whole page. `act` is given the name of what is wanted, and says whether it was done.
export function listenForKeys(act) {
    document.addEventListener('keydown', event => {
        if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || kept(OFF) !== '') return;
        const what = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
        if (what === undefined || document.querySelector('dialog[open]') !== null || isTyping(event.target, event.key)) return;
        if (what === 'help' ? showShortcuts() : act(what)) event.preventDefault();
    });
}

/// Whether the element wants the key for itself.
function isTyping(target, key) {
    if (target.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="range"])')) return true;
    if (target.matches('input')) return key === ' ' || key.startsWith('Arrow');
    return key === ' ' && target.matches('button, a, label');
}

/// Shows the list of keys.
export function showShortcuts() {
    const title = freshId();
    const on = make('input', { type: 'checkbox', checked: kept(OFF) === '', on: { change: () => keep(OFF, on.checked ? '' : 'yes') } });
    const dialog = make('dialog', { class: 'shortcuts', 'aria-labelledby': title, on: { close: () => dialog.remove() } },
        make('h2', { id: title }, say('shortcuts.title')),
        make('dl', {}, TOLD.flatMap(each => [
            make('dt', {}, make('kbd', {}, say(`shortcuts.keys.${each}`))), make('dd', {}, say(`shortcuts.${each}`)),
        ])),
        make('label', { class: 'choice' }, on, make('span', {}, say('shortcuts.on'))),
        make('div', { class: 'actions' }, button(say('shortcuts.close'), () => dialog.close(), { class: 'chief' })));
    document.body.append(dialog);
    dialog.showModal();
    return true;
}
