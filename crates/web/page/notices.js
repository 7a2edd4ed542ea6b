// What just happened, said once: shown at the edge of the page and read out by assistive technology.

import { button, fill, icon, make } from './dom.js';
import { say } from './say.js';

const place = make('div', { class: 'notices', role: 'region', 'aria-label': say('notice.label') });
const spoken = make('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });

/// Where notices appear; one element for as long as the page lives, so that changes of it are read out.
export const noticeElements = () => [place, spoken];

let undoing = null;

/// Undoes what the notice that is shown offers to undo; says whether there is anything.
export function undoLast() {
    if (undoing === null) return false;
    const action = undoing;
    clear();
    action();
    return true;
}

/// Says it; it stays until it is dismissed or the next one comes. `undo` is offered beside it.
export function notice(text, { undo, wrong = false } = {}) {
    const shown = make('div', { class: wrong ? 'notice wrong' : 'notice' },
        wrong && icon('warning'),
        make('p', {}, text),
        undo && button(undo.text, undoLast, { class: 'link' }),
        make('button', { type: 'button', class: 'bare', 'aria-label': say('notice.dismiss'), on: { click: clear } }, icon('close')));
    fill(place, shown);
    undoing = undo?.action ?? null;
    announce(text);
}

/// Says it to assistive technology only.
export function announce(text) {
    spoken.textContent = '';
    // The same words twice are a change only if there was something else between.
    requestAnimationFrame(() => { spoken.textContent = text; });
}

/// Takes the last one away.
export function clear() {
    undoing = null;
    const stoodThere = place.contains(document.activeElement);
    fill(place);
    // Who stood on one of its buttons stands at the head of the view.
    if (stoodThere) document.querySelector('h1')?.focus();
}
