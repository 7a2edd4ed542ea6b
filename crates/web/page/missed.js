// Calls that left no message.

import { ask } from './api.js';
import { button, fill, icon, make } from './dom.js';
import { folderLinks } from './folders.js';
import { aboutCaller, callerOf } from './message.js';
import { notice } from './notices.js';
import { say, sayRefusal, sayWhen } from './say.js';
import { failed, loading, nothing } from './states.js';

const PAGE = 50;

export function missedCallsView(owner) {
    const list = make('ul', { class: 'messages', 'aria-label': say('missed.list'), hidden: true });
    const instead = make('div', { class: 'instead' });
    const older = button(say('missed.older'), () => load(next), { class: 'older', hidden: true });
    const title = make('h1', { tabindex: -1 }, say('missed.title'));
    const element = make('section', { class: 'view' }, make('div', { class: 'title' }, title), folderLinks('missed', owner), list, instead, older);
    let next = null;
    let isLoading = false;

    return { element, start, refresh: () => {}, counted: () => {}, stop: () => {} };

    async function start() {
        fill(instead, loading());
        await load(null);
    }

    async function load(before) {
        if (isLoading) return;
        isLoading = true;
        try {
            const page = await ask('GET', `missed-calls?limit=${PAGE}${before === null ? '' : `&before=${encodeURIComponent(before)}`}`);
            const added = page.missed_calls.map(line);
            list.append(...added);
            next = page.next ?? null;
            const stoodThere = document.activeElement === older;
            show();
            if (stoodThere) added[0]?.querySelector('button').focus();
        } catch (error) {
            if (before === null) fill(instead, failed(error, () => { title.focus(); start(); }));
            else notice(sayRefusal(error), { wrong: true });
        } finally {
            isLoading = false;
        }
    }

    function show() {
        older.hidden = next === null;
        list.hidden = list.children.length === 0;
        fill(instead, list.hidden && nothing(say('missed.empty'), say('missed.empty_more')));
    }

    function line(call) {
        const caller = callerOf(call);
        const state = make('div', { class: 'facts' });
        const element = make('li', { class: 'message missed' });
        fill(element,
            make('h2', { class: 'heading' }, make('span', { class: 'who' }, caller),
                make('time', { class: 'when', datetime: call.received }, sayWhen(call.received, owner.me.zone))),
            state,
            make('button', { type: 'button', class: 'bare remove', 'aria-label': say('missed.remove_one', { caller }), on: { click: remove } }, icon('delete')));
        tell();
        return element;

        function tell() {
            element.dataset.state = call.state;
            fill(state, call.state === 'new' && make('span', { class: 'badge new' }, icon('new'), say('message.new')), ...aboutCaller(call));
            // Who sees it has seen it; it is new this once.
            if (call.state === 'new') ask('PATCH', `missed-calls/${encodeURIComponent(call.id)}`, { state: 'old' }, { background: true }).catch(() => {});
        }

        async function remove() {
            try {
                await ask('DELETE', `missed-calls/${encodeURIComponent(call.id)}`);
            } catch (error) {
                if (error.status !== 404) {
                    notice(sayRefusal(error), { wrong: true });
                    return;
                }
            }
            const neighbour = element.nextElementSibling ?? element.previousElementSibling;
            element.remove();
            show();
            (neighbour?.querySelector('button') ?? title).focus();
            notice(say('missed.removed', { caller }));
        }
    }
}
