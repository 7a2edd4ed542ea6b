// One message: a line of the list that opens into a player and what can be done with it.

import { ask, messageAudio } from './api.js';
import { button, fill, freshId, icon, make } from './dom.js';
import { notice } from './notices.js';
import { askForCall } from './phone.js';
import { player } from './player.js';
import { clock, say, sayLength, sayRefusal, sayWhen } from './say.js';

/// Who called, in words: the name, else the number, else that nobody knows.
export function callerOf(call) {
    return call.caller_name || call.caller || say('message.unknown_caller');
}

/// The line of a message. `list` knows the line's neighbours and the owner's time zone; see `messages.js`.
export function messageLine(message, list) {
    const body = make('div', { class: 'body', id: freshId(), hidden: true });
    const who = make('span', { class: 'who' });
    const when = make('time', { class: 'when' });
    const tick = make('input', { type: 'checkbox', on: { change: () => list.ticked(line, tick.checked) } });
    const ticking = make('label', { class: 'tick', hidden: true }, tick);
    const heading = make('button', {
        type: 'button', class: 'heading', 'aria-expanded': 'false', 'aria-controls': body.id, on: { click: toggle },
    }, who, when, make('span', { class: 'opener' }, icon('open')));
    const facts = make('div', { class: 'facts' });
    const element = make('li', { class: 'message' }, ticking, make('h2', {}, heading), facts, body);
    const line = {
        element, update, close, selectable, playOrPause, seek, toggleMark, removeOrRestore, toggle,
        id: message.id, number: message.number,
        focus: () => heading.focus(),
        state: () => message.state,
        isOpen: () => opened !== null,
        tick: is => { tick.checked = is; },
        call: () => { if (message.state !== 'deleted') askForCall({ message, caller: callerOf(message) }); },
    };
    let opened = null;
    let isBusy = false;

    update(message);
    return line;

    function update(now) {
        const before = message;
        message = now;
        element.dataset.state = message.state;
        who.textContent = callerOf(message);
        when.textContent = sayWhen(message.received, list.zone());
        when.dateTime = message.received;
        tick.setAttribute('aria-label', say('messages.select_one', { caller: callerOf(message), when: when.textContent }));
        fill(facts, badges(message), ...particulars(message));
        if (opened !== null && before.state !== message.state) showActions();
    }

    function selectable(is) {
        ticking.hidden = !is;
        element.classList.toggle('selectable', is);
        if (!is) tick.checked = false;
    }

    function toggle() {
        if (opened === null) open();
        else close();
    }

    function open() {
        list.opening(line);
        opened = {
            player: player(messageAudio(message.id), message.duration_seconds, { heard }),
            actions: make('div', { class: 'actions' }),
        };
        fill(body, explanations(message), opened.player.element, opened.actions);
        showActions();
        body.hidden = false;
        heading.setAttribute('aria-expanded', 'true');
        opened.player.focus();
    }

    function close() {
        if (opened === null) return;
        const stoodWithin = body.contains(document.activeElement);
        opened.player.stop();
        opened = null;
        fill(body);
        body.hidden = true;
        heading.setAttribute('aria-expanded', 'false');
        if (stoodWithin) heading.focus();
    }

    function playOrPause() {
        if (opened === null) open();
        opened.player.playOrPause();
    }

    function seek(direction) {
        opened?.player.seek(direction);
    }

    /// What can be done depends on the state; who stood on a button that stays, stays there.
    function showActions() {
        const stoodOn = opened.actions.contains(document.activeElement) ? document.activeElement.dataset.name : null;
        fill(opened.actions, message.state === 'deleted' ? actionsOfDeleted() : actionsOfKept());
        if (stoodOn !== null) (opened.actions.querySelector(`[data-name="${stoodOn}"]`) ?? heading).focus();
    }

    function actionsOfKept() {
        const isNew = message.state === 'new';
        return [
            button(say('phone.open'), line.call, { picture: 'telephone', class: 'chief', 'data-name': 'phone' }),
            button(say(isNew ? 'message.mark_old' : 'message.mark_new'), toggleMark, { picture: isNew ? 'heard' : 'new', 'data-name': 'mark' }),
            make('a', { class: 'button', href: messageAudio(message.id), download: fileName(), 'data-name': 'download' },
                icon('download'), make('span', {}, say('message.download'))),
            button(say('message.delete'), remove, { picture: 'delete', class: 'grave', 'data-name': 'delete' }),
        ];
    }

    function actionsOfDeleted() {
        return [button(say('message.restore'), () => restore(), { picture: 'restore', class: 'chief', 'data-name': 'restore' })];
    }

    function fileName() {
        const plain = text => text.replace(/[^\p{L}\p{N}+@. -]/gu, ' ').trim().slice(0, 60);
        return say('message.file', { caller: plain(callerOf(message)), when: message.received.slice(0, 10) });
    }

    function heard() {
        if (message.state === 'new') mark('old', false);
    }

    function toggleMark() {
        if (message.state !== 'deleted') mark(message.state === 'new' ? 'old' : 'new', true);
    }

    async function mark(state, tell) {
        await attempt(async () => {
            await ask('PATCH', `messages/${message.id}`, { state });
            list.changed({ ...message, state });
            if (tell) notice(say(state === 'new' ? 'message.marked_new' : 'message.marked_old', { caller: callerOf(message) }));
        });
    }

    function removeOrRestore() {
        if (message.state === 'deleted') restore();
        else remove();
    }

    /// Who clicks twice, or holds a key, wants it once.
    async function once(action) {
        if (isBusy) return;
        isBusy = true;
        try {
            await attempt(action);
        } finally {
            isBusy = false;
        }
    }

    async function remove() {
        await once(async () => {
            await ask('DELETE', `messages/${message.id}`);
            list.gone(line);
            const undo = { text: say('message.undo'), action: () => restore() };
            notice(say('message.deleted', { caller: callerOf(message) }), { undo });
        });
    }

    async function restore() {
        await once(async () => {
            await ask('POST', `messages/${message.id}/restore`);
            await list.restored(line);
            notice(say('message.restored', { caller: callerOf(message) }));
        });
    }
}

async function attempt(action) {
    try {
        await action();
    } catch (error) {
        notice(sayRefusal(error), { wrong: true });
    }
}

/// What is out of the ordinary, as words with a shape: never by colour alone.
function badges(message) {
    return [
        message.state === 'new' && badge('new', 'new'),
        message.importance === 'high' && badge('urgent', 'urgent'),
        message.importance === 'low' && badge('low', null),
        message.incomplete && badge('incomplete', 'warning'),
        message.damaged && badge('damaged', 'warning'),
    ].filter(Boolean);
}

function badge(name, picture) {
    return make('span', { class: `badge ${name}` }, picture && icon(picture), say(`message.${name}`));
}

function particulars(message) {
    return [
        ...aboutCaller(message),
        make('span', { class: 'length' },
            make('span', { 'aria-hidden': 'true' }, clock(Math.round(message.duration_seconds))),
            make('span', { class: 'unseen' }, sayLength(message.duration_seconds))),
    ];
}

/// Subject, number, and whether anybody vouches for them.
export function aboutCaller(call) {
    const known = call.caller_verified ? 'verified' : 'unverified';
    return [
        call.subject && make('span', { class: 'subject' }, call.subject),
        call.caller_name || !call.caller ? make('span', { class: 'number' }, call.caller || say('message.withheld')) : null,
        make('span', { class: `known ${known}` }, icon(known), say(`message.${known}`)),
    ];
}

function explanations(message) {
    const told = [
        !message.caller_verified && 'unverified_more',
        message.incomplete && 'incomplete_more',
        message.damaged && 'damaged_more',
    ].filter(Boolean);
    return told.map(each => make('p', { class: 'explained' }, say(`message.${each}`)));
}
