// Signing in.

import { signIn } from './api.js';
import { freshId, icon, make } from './dom.js';
import { say, sayRefusal } from './say.js';

/// The form. `ended`: somebody was signed in until just now. `done` is called when somebody is again.
export function signInView(ended, done) {
    const ids = { address: freshId(), hint: freshId(), password: freshId() };
    const address = make('input', {
        type: 'text', id: ids.address, name: 'address', autocomplete: 'username', autocapitalize: 'none',
        spellcheck: 'false', inputmode: 'email', required: true, maxlength: 320, 'aria-describedby': ids.hint,
    });
    const password = make('input', {
        type: 'password', id: ids.password, name: 'password', autocomplete: 'current-password', required: true, maxlength: 1024,
    });
    const submit = make('button', { type: 'submit', class: 'chief wide' }, say('sign_in.submit'));
    const wrong = make('p', { class: 'wrong', role: 'alert' });
    const element = make('main', { class: 'sign-in' },
        make('form', { class: 'card', novalidate: true, on: { submit: enter } },
            make('span', { class: 'sign' }, icon('umbel')),
            make('h1', { tabindex: -1 }, say('sign_in.title')),
            make('p', { class: 'note' }, say(ended ? 'sign_in.ended' : 'sign_in.lead')),
            make('div', { class: 'field' },
                make('label', { for: ids.address }, say('sign_in.address')), address,
                make('p', { class: 'hint', id: ids.hint }, say('sign_in.address_hint'))),
            make('div', { class: 'field' }, make('label', { for: ids.password }, say('sign_in.password')), password),
            wrong, submit));
    return { element, focus: () => address.focus() };

    async function enter(event) {
        event.preventDefault();
        wrong.textContent = '';
        if (!address.value.trim() || !password.value) {
            wrong.textContent = say('sign_in.missing');
            (address.value.trim() ? password : address).focus();
            return;
        }
        submit.disabled = true;
        try {
            await signIn(address.value.trim(), password.value);
            password.value = '';
            await done();
        } catch (error) {
            wrong.textContent = sayRefusal(error);
            password.value = '';
            password.focus();
        } finally {
            submit.disabled = false;
        }
    }
}
