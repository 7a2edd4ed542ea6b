// The list of messages: newest first, in two folders, kept up to date by what the server tells.

import { ask } from './api.js';
import { button, fill, icon, make } from './dom.js';
import { messageFilter } from './filter.js';
import { folderLinks } from './folders.js';
import { messageLine } from './message.js';
import { announce, notice, undoLast } from './notices.js';
import { say, sayRefusal } from './say.js';
import { messageSelection } from './selection.js';
import { failed, loading, nothing } from './states.js';

const PAGE = 50;
/// Older ones come in longer pages: who asks for them goes on scrolling.
const OLDER = 200;
/// Most that the server lists at once.
const PAGE_MAX = 500;

/// The view of one folder, `kept` or `deleted`. `owner` is what the server says of who is signed in.
export function messagesView(folder, owner) {
    const lines = new Map();
    const filter = messageFilter(folder, lookFor);
    const selection = messageSelection(folder, {
        lines: inOrder,
        taken(gone) {
            changes += 1;
            for (const line of gone) drop(line);
        },
        reload: () => { refresh(); owner.refresh().catch(() => {}); },
        ended: quietly => { showBars(); if (quietly) title.focus(); else select.focus(); },
    });
    const select = button(say('messages.select'), () => { selection.begin(); showBars(); selection.element.querySelector('input').focus(); }, { picture: 'select', class: 'select' });
    const list = make('ul', { class: 'messages', 'aria-label': say('messages.list'), hidden: true });
    const instead = make('div', { class: 'instead' });
    const older = button(say('messages.older'), () => showOlder(true), { class: 'older', hidden: true });
    const summary = make('p', { class: 'summary' });
    const full = make('p', { class: 'explained warned', hidden: true }, icon('warning'), say('messages.full'));
    const title = make('h1', { tabindex: -1 }, say('messages.title'));
    const tools = make('div', { class: 'tools' }, filter.element, select);
    const element = make('section', { class: 'view' },
        make('div', { class: 'title' }, title, summary),
        folderLinks(folder, owner), folder === 'deleted' && make('p', { class: 'note' }, say('messages.deleted_note')),
        full, tools, selection.element, list, instead, older);
    // Older ones come by themselves to whoever scrolls down to where they begin.
    const seen = new IntersectionObserver(entries => { if (entries.some(each => each.isIntersecting)) showOlder(false); }, { rootMargin: '600px' });
    let next = null;
    let known = null;
    // Answers to what is not looked for any more are not shown.
    let turn = 0;
    let isLoadingOlder = false;
    // The latest are asked for once at a time, so that no older answer comes behind a newer one; who wants them meanwhile
    // has them asked for again. So does what was changed here: an answer that was under way may not know of it.
    let refreshing = null;
    let wanted = null;
    let changes = 0;

    const neighbours = {
        zone: () => owner.me.zone,
        ticked: selection.ticked,
        opening(line) {
            for (const other of lines.values()) if (other !== line) other.close();
        },
        changed(message) {
            changes += 1;
            lines.get(message.id)?.update(message);
            owner.refresh().catch(() => {});
        },
        gone(line) {
            changes += 1;
            take(line);
            owner.refresh().catch(() => {});
        },
        async restored(line) {
            changes += 1;
            if (folder === 'deleted') take(line);
            await refresh();
            lines.get(line.id)?.focus();
            owner.refresh().catch(() => {});
        },
    };
    seen.observe(older);

    return {
        element, start: lookFor, refresh, counted: showSummary, act,
        stop() {
            turn += 1;
            seen.disconnect();
            for (const line of lines.values()) line.close();
        },
    };

    /// What a key asks for; says whether it was done.
    function act(what) {
        const all = inOrder();
        const on = all.find(line => line.element.contains(document.activeElement)) ?? all.find(line => line.isOpen());
        const place = all.indexOf(on);
        switch (what) {
            case 'search': filter.focus(); return true;
            case 'undo': return undoLast();
            case 'next': if (place + 1 < all.length) all[place + 1].focus(); return all.length > 0;
            case 'previous': if (place > 0) all[place - 1].focus(); return all.length > 0;
            default: break;
        }
        if (on === undefined) return false;
        switch (what) {
            case 'play': on.playOrPause(); return true;
            case 'back': on.seek(-1); return on.isOpen();
            case 'forth': on.seek(1); return on.isOpen();
            case 'phone': on.call(); return true;
            case 'mark': on.toggleMark(); return true;
            case 'remove': on.removeOrRestore(); return true;
            case 'select': selection.toggle(on); showBars(); return true;
            default: return false;
        }
    }

    function inOrder() {
        const lineOf = new Map([...lines.values()].map(line => [line.element, line]));
        return [...list.children].map(child => lineOf.get(child));
    }

    /// Takes a line away; who stood on it stands on the next.
    function take(line) {
        const all = inOrder();
        const place = all.indexOf(line);
        const neighbour = all[place + 1] ?? all[place - 1];
        drop(line);
        showInstead();
        if (neighbour === undefined) title.focus();
        else neighbour.focus();
    }

    function drop(line) {
        line.close();
        line.element.remove();
        lines.delete(line.id);
        selection.forget(line);
    }

    /// Begins the list anew, by what is looked for now.
    async function lookFor() {
        turn += 1;
        const mine = turn;
        next = null;
        known = null;
        selection.end({ quietly: true });
        for (const line of [...lines.values()]) drop(line);
        older.hidden = true;
        list.hidden = true;
        fill(instead, loading());
        try {
            const page = await asked(PAGE);
            if (mine !== turn) return;
            merge(page);
            if (filter.isActive()) announce(sayFound());
        } catch (error) {
            if (mine === turn) fill(instead, failed(error, () => { title.focus(); lookFor(); }));
        }
    }

    /// The latest messages anew. Lines that are still there stay as they are: open, playing, with the focus.
    function refresh({ background = false } = {}) {
        wanted = { background: background && (wanted?.background ?? true) };
        refreshing ??= refreshWhileWanted();
        return refreshing;
    }

    async function refreshWhileWanted() {
        try {
            while (wanted !== null) {
                const { background } = wanted;
                wanted = null;
                await refreshOnce(background);
            }
        } finally {
            refreshing = null;
        }
    }

    async function refreshOnce(background) {
        if (known === null) {
            // What could not be loaded is now, once the server answers.
            if (instead.querySelector('[data-name="again"]') !== null) await lookFor();
            return;
        }
        const [mine, before] = [turn, changes];
        try {
            const page = await asked(Math.min(Math.max(PAGE, lines.size), PAGE_MAX), { background });
            if (mine !== turn) return;
            if (before === changes) merge(page);
            else wanted ??= { background: true };
        } catch (error) {
            // That there is no connection is told at the head of the page.
            if (error.status !== 401 && !background) notice(sayRefusal(error), { wrong: true });
        }
    }

    function asked(limit, { background = false, before } = {}) {
        const query = filter.query();
        query.set('limit', limit);
        if (before !== undefined) query.set('before', before);
        return ask('GET', `messages?${query}`, undefined, { background });
    }

    function merge(page) {
        const listed = new Set(page.messages.map(message => message.id));
        // What is older than the last one listed is not known to be gone.
        const oldest = page.next === null ? -1 : page.messages.at(-1).number;
        const keepsOlder = [...lines.values()].some(line => line.number < oldest);
        for (const line of [...lines.values()]) {
            // One that is open stays, though it may be heard by now and only new ones are looked for.
            if (listed.has(line.id) || line.number < oldest || (filter.isActive() && line.isOpen())) continue;
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
        known = new Set([...(known ?? []), ...listed]);
        if (!keepsOlder) next = page.next ?? null;
        showInstead();
    }

    async function showOlder(moveFocus) {
        if (next === null || isLoadingOlder) return;
        isLoadingOlder = true;
        const mine = turn;
        try {
            const page = await asked(OLDER, { before: next });
            if (mine !== turn) return;
            const added = page.messages.map(message => put(message));
            list.append(...added.map(line => line.element));
            for (const message of page.messages) known.add(message.id);
            next = page.next ?? null;
            // Who stands on the button when it goes, and who pressed it, goes on at the first that came.
            const moves = moveFocus || (next === null && document.activeElement === older);
            showInstead();
            if (moves) added[0]?.focus();
        } catch (error) {
            if (error.status !== 401) notice(sayRefusal(error), { wrong: true });
        } finally {
            isLoadingOlder = false;
        }
        // Where the next ones are in sight too, nothing moved that the observer would tell.
        if (mine === turn && next !== null) {
            seen.unobserve(older);
            seen.observe(older);
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
        selection.added(line);
        return line;
    }

    /// What stands in the list's place, where it is empty.
    function showInstead() {
        older.hidden = next === null;
        list.hidden = lines.size === 0;
        showBars();
        showFound();
        if (!list.hidden || known === null) {
            if (known !== null) fill(instead);
            return;
        }
        if (filter.isActive()) {
            fill(instead, nothing(say('messages.found_none'), say('messages.found_none_more'), filter.everything()));
        } else if (folder === 'deleted') {
            fill(instead, nothing(say('messages.deleted_empty')));
        } else {
            fill(instead, nothing(say('messages.empty'), say('messages.empty_more')));
        }
    }

    function showBars() {
        tools.hidden = selection.isOn() || (known !== null && lines.size === 0 && !filter.isActive());
        select.hidden = lines.size === 0;
    }

    function sayFound() {
        if (lines.size === 0) return say('messages.found_none');
        return next === null ? say('messages.found', { count: lines.size }) : say('messages.found_more', { count: lines.size });
    }

    function showFound() {
        if (filter.isActive() && known !== null) summary.textContent = sayFound();
        else if (owner.me !== null) showSummary(owner.me.counts);
    }

    function showSummary(counts) {
        full.hidden = folder !== 'kept' || !owner.me.full;
        if (filter.isActive()) return;
        summary.textContent = counts.new === 0 ? say('messages.summary_none') : say('messages.summary', { count: counts.new });
    }
}
