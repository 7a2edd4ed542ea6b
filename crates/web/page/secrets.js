// The owner's PIN and password: changed by whoever knows the one in force. Each change ends every session, this one too.

import { ask, signIn } from './api.js';
import { button, freshId, make } from './dom.js';
import { showFirstWrong, textField, whileBusy } from './fields.js';
import { notice } from './notices.js';
import { say, sayRefusal } from './say.js';

/// As the server has them.
const PASSWORD_CHARS_MIN = 8;

export function secretsCards(owner) {
    const { me } = owner;
    return [pinCard(owner), me.has_password && passwordCard(owner)].filter(Boolean);
}

function pinCard(owner) {
    const made = owner.me.pin_state === 'generated';
    const digits = { type: 'password', inputmode: 'numeric', maxlength: 24, autocomplete: 'off' };
    const card = secretCard({
        name: 'pin', title: say('secrets.pin'), note: say(made ? 'secrets.pin_made' : 'secrets.pin_note'), made, digits,
        wrongWith: text => (/^[0-9]+$/.test(text) ? '' : say('secrets.digits')),
        async change(current, fresh) {
            await owner.withoutNews(async () => {
                await ask('PUT', 'me/pin', { current, new: fresh });
                // The session has ended with the old PIN; whoever changed it signs in again and is back here.
                await owner.refresh();
            });
            owner.show();
            notice(say('secrets.pin_changed'));
        },
    });
    if (owner.me.email) {
        card.querySelector('.actions').append(button(say('secrets.forgotten'), forgotten, { class: 'link' }));
    }
    return card;
}

async function forgotten() {
    try {
        await ask('POST', 'me/pin/reset');
        notice(say('secrets.mailed'));
    } catch (error) {
        notice(sayRefusal(error), { wrong: true });
    }
}

function passwordCard(owner) {
    return secretCard({
        name: 'password', title: say('secrets.password'), note: say('secrets.password_note'),
        wrongWith: text => ([...text].length < PASSWORD_CHARS_MIN ? say('secrets.short', { count: PASSWORD_CHARS_MIN }) : ''),
        async change(current, fresh) {
            await owner.withoutNews(async () => {
                await ask('PUT', 'me/password', { current, new: fresh });
                // With the new one the page goes on where it is.
                await signIn(owner.me.address, fresh);
            });
            notice(say('secrets.password_changed'));
        },
    });
}

/// A card that asks for the old one and twice for the new one.
function secretCard({ name, title, note, made = false, digits = { type: 'password', maxlength: 1024 }, wrongWith, change }) {
    const field = (label, autocomplete, hint) => textField(label, { autocomplete, hint, ...digits, name: `${name}-${autocomplete}` });
    const current = field(say(`secrets.${name}_current`), name === 'pin' ? 'off' : 'current-password');
    const fresh = field(say(`secrets.${name}_new`), name === 'pin' ? 'off' : 'new-password', say(`secrets.${name}_hint`));
    const again = field(say(`secrets.${name}_again`), name === 'pin' ? 'off' : 'new-password');
    const submit = make('button', { type: 'submit' }, say(`secrets.change_${name}`));
    const wrong = make('p', { class: 'wrong', role: 'alert' });
    const id = freshId();
    const form = make('form', { class: 'card', novalidate: true, 'aria-labelledby': id },
        make('h2', { id, tabindex: -1 }, title), make('p', { class: made ? 'explained warned' : 'note' }, note),
        current.element, make('div', { class: 'pair' }, fresh.element, again.element), wrong,
        make('div', { class: 'actions' }, submit));
    form.addEventListener('submit', whileBusy(submit, save));
    return form;

    async function save() {
        wrong.textContent = '';
        current.wrong(current.input.value === '' ? say('secrets.missing') : '');
        fresh.wrong(fresh.input.value === '' ? say('secrets.missing') : wrongWith(fresh.input.value));
        again.wrong(again.input.value === fresh.input.value ? '' : say('secrets.differs'));
        if (showFirstWrong(form)) return;
        try {
            await change(current.input.value, fresh.input.value);
            for (const each of [current, fresh, again]) each.input.value = '';
        } catch (error) {
            const beside = { 'wrong-pin': current, 'wrong-password': current, 'weak-pin': fresh, 'weak-password': fresh, invalid: fresh }[error.code];
            if (beside === undefined) wrong.textContent = sayRefusal(error);
            else beside.wrong(say(`secrets.${error.code}`));
            (beside ?? current).focus();
        }
    }
}
