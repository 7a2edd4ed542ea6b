// What stands in the place of content that is not there: it is loading, it could not be loaded, there is none.

import { button, icon, make } from './dom.js';
import { say, sayRefusal } from './say.js';

/// Before so much time has passed nobody is told that something loads: a flicker says less than nothing.
const PATIENCE_MILLISECONDS = 300;

/// Says that something is loading, to eyes after a moment.
export function loading() {
    const element = make('div', { class: 'empty waiting' }, make('p', { class: 'note' }, say('state.loading')));
    element.style.setProperty('--patience', `${PATIENCE_MILLISECONDS}ms`);
    return element;
}

/// Says why it could not be loaded, and offers to try again.
export function failed(error, again) {
    return make('div', { class: 'empty', role: 'alert' }, icon('warning'),
        make('p', {}, say('state.failed')),
        make('p', { class: 'note' }, sayRefusal(error)),
        button(say('state.again'), again, { picture: 'restore', 'data-name': 'again' }));
}

/// Says that there is nothing, and what may be done about it.
export function nothing(text, more, way) {
    return make('div', { class: 'empty' }, icon('umbel'), make('p', {}, text), more && make('p', { class: 'note' }, more), way);
}
