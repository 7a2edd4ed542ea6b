// What just happened, said once: shown at the edge of the page and read out by assistive technology.

import { button, fill, icon, make } from './dom.js';
import { say } from './say.js';

const place = make('div', { class: 'notices', role: 'region', 'aria-label': say('notice.label') });
const spoken = make('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });

/// Where notices appear; one element for as long as the page lives, so that changes of it are read out.
export const noticeElements = () => [place, spoken];

/// Says it; it stays until it is dismissed or the next one comes. `undo` is offered beside it.
export function notice(text, { undo, wrong = false } = {}) {
    const shown = make('div', { class: wrong ? 'notice wrong' : 'notice' },
        wrong && icon('warning'),
        make('p', {}, text),
        undo && button(undo.text, () => { clear(); undo.action(); }, { class: 'link' }),
        make('button', { type: 'button', class: 'bare', 'aria-label': say('notice.dismiss'), on: { click: dismiss } }, icon('close')));
    fill(place, shown);
    announce(text);
}

/// Says it to assistive technology only.
export function announce(text) {
    spoken.textContent = '';
    // The same words twice are a change only if there was something else between.
    requestAnimationFrame(() => { spoken.textContent = text; });
}

function dismiss() {
    clear();
    // Who stood on the button stands at the head of the view.
    document.querySelector('h1')?.focus();
}

/// Takes the last one away.
export function clear() {
    fill(place);
}
