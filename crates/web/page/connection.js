// Whether the server can be reached: told at the top of the page while it cannot, and when it can again.

import { button, fill, icon, make } from './dom.js';
import { announce } from './notices.js';
import { say } from './say.js';

/// A moment without an answer is no news yet.
const PATIENCE_MILLISECONDS = 1_500;
/// How often we try by ourselves.
const AGAIN_MILLISECONDS = 5_000;

const bar = make('div', { class: 'lost', hidden: true });
/// Where it is told: one element for as long as the page lives.
export const connectionElement = () => bar;

/// Tries whether the server answers; set by the page.
export const connection = { tryNow: async () => {} };

let waiting = null;

/// An answer came, or none did.
export function reached(is) {
    if (is) {
        clearTimeout(waiting);
        waiting = null;
        if (bar.hidden) return;
        bar.hidden = true;
        const stoodThere = bar.contains(document.activeElement);
        fill(bar);
        if (stoodThere) document.querySelector('h1')?.focus();
        announce(say('state.online'));
    } else if (bar.hidden) {
        waiting ??= setTimeout(tell, PATIENCE_MILLISECONDS);
    }
}

/// Nobody is told any more: who signs in sees what is wrong beside the form.
export function forgetConnection() {
    clearTimeout(waiting);
    waiting = null;
    bar.hidden = true;
    fill(bar);
}

function tell() {
    fill(bar, icon('warning'), make('p', {}, say('state.offline')), button(say('state.offline_now'), attempt, { class: 'link' }));
    bar.hidden = false;
    announce(say('state.offline'));
    waiting = setTimeout(tryOn, AGAIN_MILLISECONDS);
}

async function tryOn() {
    await attempt();
    if (!bar.hidden) waiting = setTimeout(tryOn, AGAIN_MILLISECONDS);
}

const attempt = () => connection.tryNow().catch(() => {});

window.addEventListener('online', () => { if (!bar.hidden) attempt(); });
