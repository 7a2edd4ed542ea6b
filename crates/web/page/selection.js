// Several messages at once: selecting them, and what can be done with all of them.

import { ask, forAll } from './api.js';
import { button, fill, freshId, make } from './dom.js';
import { notice } from './notices.js';
import { say, sayRefusal } from './say.js';

/// The bar that takes the filter's place while messages are selected. `list` has `lines()`, in order, `taken(lines)`
/// which takes them off the list, `reload()`, and `ended()`.
export function messageSelection(folder, list) {
    const ids = { all: freshId() };
    const count = make('p', { class: 'count', 'aria-live': 'polite' });
    const all = make('input', { type: 'checkbox', id: ids.all, on: { change: () => tickAll(all.checked) } });
    const actions = make('div', { class: 'actions' });
    const element = make('div', { class: 'selection', role: 'group', 'aria-label': say('messages.selection'), hidden: true },
        make('label', { class: 'choice', for: ids.all }, all, make('span', {}, say('messages.select_all'))), count, actions,
        button(say('messages.selection_end'), () => end(), { class: 'link', 'data-name': 'end' }));
    const chosen = new Set();
    let isOn = false;
    let isWorking = false;

    const does = folder === 'deleted'
        ? [['restore', 'restore', 'message.restore']]
        : [['old', 'heard', 'message.mark_old'], ['new', 'new', 'message.mark_new'], ['delete', 'delete', 'message.delete']];
    fill(actions, does.map(([what, picture, text]) =>
        button(say(text), () => act(what), { picture, class: what === 'delete' ? 'grave' : null, 'data-name': what })));

    return { element, begin, end, isOn: () => isOn, ticked, forget, toggle, added };

    function begin() {
        if (isOn) return;
        isOn = true;
        element.hidden = false;
        for (const line of list.lines()) line.selectable(true);
        show();
    }

    function end({ quietly = false } = {}) {
        if (!isOn) return;
        isOn = false;
        chosen.clear();
        for (const line of list.lines()) line.selectable(false);
        element.hidden = true;
        list.ended(quietly);
    }

    /// A line that came meanwhile can be selected too.
    function added(line) {
        line.selectable(isOn);
    }

    function ticked(line, is) {
        if (is) chosen.add(line);
        else chosen.delete(line);
        show();
    }

    function toggle(line) {
        begin();
        line.tick(!chosen.has(line));
        ticked(line, !chosen.has(line));
    }

    function forget(line) {
        if (chosen.delete(line)) show();
    }

    function tickAll(is) {
        for (const line of list.lines()) {
            line.tick(is);
            if (is) chosen.add(line);
            else chosen.delete(line);
        }
        show();
    }

    function show() {
        const lines = list.lines().length;
        count.textContent = isWorking ? say('messages.working') : say('messages.selected', { count: chosen.size });
        all.checked = chosen.size > 0 && chosen.size === lines;
        all.indeterminate = chosen.size > 0 && chosen.size < lines;
        // Not `disabled`: who stands on one would fall off.
        for (const each of actions.children) {
            if (chosen.size === 0 || isWorking) each.setAttribute('aria-disabled', 'true');
            else each.removeAttribute('aria-disabled');
        }
    }

    async function act(what) {
        if (chosen.size === 0 || isWorking) return;
        const lines = list.lines().filter(line => chosen.has(line));
        const before = new Map(lines.map(line => [line.id, line.state()]));
        isWorking = true;
        show();
        const failed = await forAll(lines, line => change(line.id, what));
        isWorking = false;
        const lost = new Set(failed.map(each => each.thing));
        const done = lines.filter(line => !lost.has(line));
        if (what === 'delete' || what === 'restore') list.taken(done);
        end({ quietly: true });
        tell(what, done.map(line => line.id), before, failed);
        list.reload();
    }

    function tell(what, done, before, failed) {
        const named = { old: 'heard', new: 'new', delete: 'deleted', restore: 'restored' }[what];
        if (failed.length > 0) {
            const reason = sayRefusal(failed[0].error);
            notice(say('messages.many_failed', { count: failed.length, reason }), { wrong: true });
            return;
        }
        const undo = what === 'restore' ? undefined : { text: say('message.undo'), action: () => undone(what, done, before) };
        notice(say(`messages.many_${named}`, { count: done.length }), { undo });
    }

    async function undone(what, ids, before) {
        const back = id => (what === 'delete' ? change(id, 'restore') : change(id, before.get(id)));
        const failed = await forAll(ids, back);
        if (failed.length > 0) {
            notice(say('messages.many_failed', { count: failed.length, reason: sayRefusal(failed[0].error) }), { wrong: true });
        } else if (what === 'delete') {
            notice(say('messages.many_restored', { count: ids.length }));
        }
        list.reload();
    }
}

function change(id, what) {
    switch (what) {
        case 'delete': return ask('DELETE', `messages/${id}`);
        case 'restore': return ask('POST', `messages/${id}/restore`);
        default: return ask('PATCH', `messages/${id}`, { state: what });
    }
}
