// One message: a line of the list that opens into a player and what can be done with it.

import { ask, messageAudio } from './api.js';
import { button, fill, freshId, icon, make } from './dom.js';
import { notice } from './notices.js';
import { askForCall } from './phone.js';
import { player } from './player.js';
import { clock, say, sayLength, sayRefusal, sayWhen } from './say.js';

/// Who called, in words: the name, else the number, else that nobody knows.
export function callerOf(message) {
    return message.caller_name || message.caller || say('message.unknown_caller');
}

/// The line of a message. `list` knows the line's neighbours and the owner's time zone; see `messages.js`.
export function messageLine(message, list) {
    const body = make('div', { class: 'body', id: freshId(), hidden: true });
    const who = make('span', { class: 'who' });
    const when = make('time', { class: 'when' });
    const heading = make('button', {
        type: 'button', class: 'heading', 'aria-expanded': 'false', 'aria-controls': body.id,
        on: { click: toggle, keydown: event => list.walk(event, line) },
    }, who, when, make('span', { class: 'opener' }, icon('open')));
    const facts = make('div', { class: 'facts' });
    const element = make('li', { class: 'message' }, make('h2', {}, heading), facts, body);
    const line = { element, update, focus: () => heading.focus(), close, id: message.id, number: message.number };
    let opened = null;

    update(message);
    return line;

    function update(now) {
        const before = message;
        message = now;
        element.dataset.state = message.state;
        who.textContent = callerOf(message);
        when.textContent = sayWhen(message.received, list.zone());
        when.dateTime = message.received;
        fill(facts, badges(message), ...particulars(message));
        if (opened !== null && before.state !== message.state) showActions();
    }

    function toggle() {
        if (opened !== null) {
            close();
            return;
        }
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
        opened.player.stop();
        opened = null;
        fill(body);
        body.hidden = true;
        heading.setAttribute('aria-expanded', 'false');
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
            button(say('phone.open'), () => askForCall({ message, caller: callerOf(message) }),
                { picture: 'telephone', class: 'chief', 'data-name': 'phone' }),
            button(say(isNew ? 'message.mark_old' : 'message.mark_new'), () => mark(isNew ? 'old' : 'new', true),
                { picture: isNew ? 'heard' : 'new', 'data-name': 'mark' }),
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

    async function mark(state, tell) {
        await attempt(async () => {
            await ask('PATCH', `messages/${message.id}`, { state });
            list.changed({ ...message, state });
            if (tell) notice(say(state === 'new' ? 'message.marked_new' : 'message.marked_old', { caller: callerOf(message) }));
        });
    }

    async function remove() {
        await attempt(async () => {
            await ask('DELETE', `messages/${message.id}`);
            list.gone(line);
            const undo = { text: say('message.undo'), action: () => restore() };
            notice(say('message.deleted', { caller: callerOf(message) }), { undo });
        });
    }

    async function restore() {
        await attempt(async () => {
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
    const number = message.caller || say('message.withheld');
    const known = message.caller_verified ? 'verified' : 'unverified';
    return [
        message.subject && make('span', { class: 'subject' }, message.subject),
        message.caller_name || !message.caller ? make('span', { class: 'number' }, number) : null,
        make('span', { class: `known ${known}` }, icon(known), say(`message.${known}`)),
        make('span', { class: 'length' },
            make('span', { 'aria-hidden': 'true' }, clock(Math.round(message.duration_seconds))),
            make('span', { class: 'unseen' }, sayLength(message.duration_seconds))),
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
