// The list of messages: newest first, in two folders, kept up to date by what the server tells.

import { ask } from './api.js';
import { button, fill, icon, make } from './dom.js';
import { messageLine } from './message.js';
import { announce, notice } from './notices.js';
import { say, sayRefusal } from './say.js';

const PAGE = 50;
/// Most that the server lists at once.
const PAGE_MAX = 500;

/// The view of one folder, `kept` or `deleted`. `owner` is what the server says of who is signed in.
export function messagesView(folder, owner) {
    const lines = new Map();
    const list = make('ul', { class: 'messages', 'aria-label': say('messages.list') });
    const empty = make('div', { class: 'empty', hidden: true });
    const older = button(say('messages.older'), showOlder, { class: 'older', hidden: true });
    const summary = make('p', { class: 'summary' });
    const element = make('section', { class: 'view' },
        make('div', { class: 'title' }, make('h1', { tabindex: -1 }, say('messages.title')), summary),
        folders(folder), folder === 'deleted' && make('p', { class: 'note' }, say('messages.deleted_note')),
        list, empty, older);
    let next = null;
    let known = null;

    const neighbours = {
        zone: () => owner.me.zone,
        opening(line) {
            for (const other of lines.values()) if (other !== line) other.close();
        },
        walk(event, line) {
            const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
            if (step === undefined) return;
            const all = inOrder();
            all[all.indexOf(line) + step]?.focus();
            event.preventDefault();
        },
        changed(message) {
            lines.get(message.id)?.update(message);
            owner.refresh();
        },
        gone(line) {
            take(line);
            owner.refresh();
        },
        async restored(line) {
            if (folder === 'deleted') take(line);
            await refresh();
            lines.get(line.id)?.focus();
            owner.refresh();
        },
    };

    return { element, start: () => refresh(), refresh, counted: showSummary, stop };

    function inOrder() {
        const lineOf = new Map([...lines.values()].map(line => [line.element, line]));
        return [...list.children].map(child => lineOf.get(child));
    }

    /// Takes a line away; who stood on it stands on the next.
    function take(line) {
        const all = inOrder();
        const place = all.indexOf(line);
        line.close();
        line.element.remove();
        lines.delete(line.id);
        showEmptiness();
        (all[place + 1] ?? all[place - 1])?.focus();
        if (all.length === 1) element.querySelector('h1').focus();
    }

    /// The latest messages anew. Lines that are still there stay as they are: open, playing, with the focus.
    async function refresh({ background = false } = {}) {
        const page = await listed(`limit=${Math.min(Math.max(PAGE, lines.size), PAGE_MAX)}`, background);
        if (page === null) return;
        const listedIds = new Set(page.messages.map(message => message.id));
        // What is older than the last one listed is not known to be gone.
        const oldest = page.next === null ? -1 : page.messages.at(-1).number;
        const keepsOlder = [...lines.values()].some(line => line.number < oldest);
        for (const [id, line] of lines) {
            if (listedIds.has(id) || line.number < oldest) continue;
            if (line.element.contains(document.activeElement)) take(line);
            else drop(line);
        }
        let before = null;
        const arrived = page.messages.filter(message => known !== null && !known.has(message.id) && message.state === 'new');
        for (const message of page.messages) {
            const line = put(message);
            const place = before === null ? list.firstChild : before.nextSibling;
            if (line.element !== place) list.insertBefore(line.element, place);
            before = line.element;
        }
        if (arrived.length > 0) announce(say('messages.arrived', { count: arrived.length }));
        known = new Set([...(known ?? []), ...listedIds]);
        showNext(keepsOlder ? { next } : page);
    }

    async function showOlder() {
        const page = await listed(`limit=${PAGE}&before=${encodeURIComponent(next)}`);
        if (page === null) return;
        const added = page.messages.map(message => put(message));
        list.append(...added.map(line => line.element));
        for (const message of page.messages) known.add(message.id);
        showNext(page);
        added[0]?.focus();
    }

    async function listed(query, background) {
        try {
            return await ask('GET', `messages?state=${folder}&${query}`, undefined, { background });
        } catch (error) {
            if (error.status !== 401) notice(sayRefusal(error), { wrong: true });
            return null;
        }
    }

    function put(message) {
        const there = lines.get(message.id);
        if (there !== undefined) {
            there.update(message);
            return there;
        }
        const line = messageLine(message, neighbours);
        lines.set(message.id, line);
        return line;
    }

    function drop(line) {
        line.close();
        line.element.remove();
        lines.delete(line.id);
    }

    function showNext(page) {
        next = page.next ?? null;
        older.hidden = next === null;
        showEmptiness();
    }

    function showEmptiness() {
        empty.hidden = lines.size > 0;
        list.hidden = lines.size === 0;
        if (empty.hidden) return;
        const texts = folder === 'deleted'
            ? [make('p', {}, say('messages.deleted_empty'))]
            : [make('p', {}, say('messages.empty')), make('p', { class: 'note' }, say('messages.empty_more'))];
        fill(empty, icon('umbel'), ...texts);
    }

    function showSummary(counts) {
        summary.textContent = counts.new === 0 ? say('messages.summary_none') : say('messages.summary', { count: counts.new });
    }

    function stop() {
        for (const line of lines.values()) line.close();
    }
}

function folders(current) {
    const link = (folder, hash) => make('a', { href: hash, 'aria-current': folder === current ? 'page' : null }, say(`messages.${folder}`));
    return make('nav', { class: 'folders', 'aria-label': say('messages.folders') },
        link('kept', '#messages'), link('deleted', '#deleted'));
}
