// What callers hear: which greeting, and the recordings.

import { ask, greetingAudio } from './api.js';
import { button, fill, freshId, icon, make } from './dom.js';
import { notice } from './notices.js';
import { askForCall } from './phone.js';
import { player } from './player.js';
import { say, sayRefusal, sayWhen } from './say.js';
import { failed, loading } from './states.js';

const KINDS = ['standard', 'out-of-office', 'name'];
/// A greeting that was recorded by telephone is kept after the call has ended: when we look for it.
const LOOKED_FOR_MILLISECONDS = [0, 1_000, 3_000, 8_000, 20_000];
const CHOSEN_FROM = ['standard', 'out-of-office'];

export function greetingsView(owner) {
    const choice = make('fieldset', { class: 'card choices' });
    const cards = make('div', { class: 'cards' });
    const element = make('section', { class: 'view' },
        make('div', { class: 'title' }, make('h1', { tabindex: -1 }, say('greetings.title'))), choice, cards);
    let players = [];
    // Each time the sound is another the address is too, so that no older one is heard.
    let turn = 0;
    let shown = null;
    // The answer to the last question is shown; one that it overtook is older.
    let questions = 0;
    let left = false;

    return { element, start, refresh: () => {}, counted: () => {}, recorded, stop };

    async function start() {
        choice.hidden = true;
        fill(cards, loading());
        await refresh();
    }

    async function refresh({ background = false } = {}) {
        questions += 1;
        const mine = questions;
        try {
            const found = await ask('GET', 'greetings', undefined, { background });
            if (mine !== questions) return;
            const same = JSON.stringify(found) === shown;
            shown = JSON.stringify(found);
            // What nobody clicked for does not interrupt what is being heard.
            if (!background || !same) show(found);
        } catch (error) {
            if (mine !== questions) return;
            if (shown === null) fill(cards, failed(error, () => { element.querySelector('h1').focus(); refresh(); }));
            else if (error.status !== 401 && !background) notice(sayRefusal(error), { wrong: true });
        }
    }

    async function recorded() {
        for (const wait of LOOKED_FOR_MILLISECONDS) {
            await new Promise(resume => { setTimeout(resume, wait); });
            if (left) return;
            await refresh({ background: true });
        }
    }

    function stop() {
        left = true;
        silence();
    }

    function silence() {
        for (const each of players) each.stop();
        players = [];
    }

    function show({ active, greetings }) {
        choice.hidden = false;
        silence();
        turn += 1;
        const stoodOn = element.contains(document.activeElement) ? document.activeElement.dataset.name : undefined;
        const name = freshId();
        fill(choice, make('legend', {}, say('greetings.active')), CHOSEN_FROM.map(kind => make('label', { class: 'choice' },
            make('input', { type: 'radio', name, value: kind, checked: kind === active, 'data-name': `choose-${kind}`, on: { change: () => choose(kind) } }),
            make('span', {}, say(`greetings.${kind}`)))));
        fill(cards, KINDS.map(kind => card(kind, greetings.find(each => each.kind === kind), kind === active)));
        if (stoodOn !== undefined) element.querySelector(`[data-name="${stoodOn}"]`)?.focus();
    }

    function card(kind, recorded, active) {
        const name = say(`greetings.${kind}`);
        const title = freshId();
        const file = make('input', {
            type: 'file', accept: '.wav,audio/wav,audio/x-wav', class: 'unseen', 'data-name': `upload-${kind}`,
            'aria-label': say('greetings.upload_label', { greeting: name }), on: { change: () => upload(kind, file) },
        });
        const absent = say(kind === 'name' ? 'greetings.name_none' : 'greetings.none');
        const told = recorded ? say('greetings.recorded', { when: sayWhen(recorded.recorded, owner.me.zone) }) : absent;
        const heard = recorded && player(`${greetingAudio(kind)}?turn=${turn}`, recorded.duration_seconds ?? 0);
        if (heard) players.push(heard);
        return make('article', { class: 'card', 'aria-labelledby': title },
            make('h2', { id: title }, name, active && make('span', { class: 'badge' }, icon('heard'), say('greetings.in_use'))),
            make('p', { class: 'note' }, say(`greetings.${kind}_note`)),
            make('p', { class: 'hint' }, told),
            heard?.element,
            make('div', { class: 'actions' },
                button(say('phone.open_greeting'), () => askForCall({ greeting: kind, name }), { picture: 'telephone', 'data-name': `phone-${kind}` }),
                make('label', { class: 'button' }, icon('upload'), make('span', { 'aria-hidden': 'true' }, say('greetings.upload')), file),
                recorded && button(say('greetings.remove'), () => remove(kind), { picture: 'delete', class: 'grave', 'data-name': `remove-${kind}` })));
    }

    async function choose(kind) {
        await attempt(async () => {
            await ask('PUT', 'greetings/active', { greeting: kind });
            notice(say('greetings.chosen', { greeting: say(`greetings.${kind}`) }));
        });
    }

    async function upload(kind, field) {
        const [file] = field.files;
        if (file === undefined) return;
        notice(say('greetings.uploading'));
        await attempt(async () => {
            const { truncated } = await ask('PUT', `greetings/${kind}`, file);
            const replaced = say('greetings.uploaded', { greeting: say(`greetings.${kind}`) });
            notice(truncated ? `${replaced} ${say('greetings.truncated')}` : replaced);
        });
    }

    async function remove(kind) {
        await attempt(async () => {
            await ask('DELETE', `greetings/${kind}`);
            notice(say('greetings.removed', { greeting: say(`greetings.${kind}`) }));
            element.querySelector('h1').focus();
        });
    }

    async function attempt(action) {
        try {
            await action();
        } catch (error) {
            notice(sayRefusal(error), { wrong: true });
        }
        await refresh();
    }
}
