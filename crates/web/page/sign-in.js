// Signing in: at first, and again where a session has ended in the middle of something.

import { signIn } from './api.js';
import { button, freshId, icon, make } from './dom.js';
import { say, sayRefusal } from './say.js';

/// The form. `ended`: somebody was signed in until just now; `address` is theirs. `done` is called when somebody is in,
/// with their address.
export function signInForm({ ended = false, address: known = '', other = null, done }) {
    const ids = { title: freshId(), address: freshId(), hint: freshId(), password: freshId(), wrong: freshId() };
    const address = make('input', {
        type: 'text', id: ids.address, name: 'address', autocomplete: 'username', autocapitalize: 'none', value: known,
        spellcheck: 'false', inputmode: 'email', required: true, maxlength: 320, 'aria-describedby': ids.hint,
    });
    const password = make('input', {
        type: 'password', id: ids.password, name: 'password', autocomplete: 'current-password', required: true, maxlength: 1024,
        'aria-describedby': ids.wrong,
    });
    const shown = make('input', { type: 'checkbox', on: { change: () => { password.type = shown.checked ? 'text' : 'password'; } } });
    const submit = make('button', { type: 'submit', class: 'chief wide' }, say('sign_in.submit'));
    const wrong = make('p', { class: 'wrong', role: 'alert', id: ids.wrong });
    const form = make('form', { class: 'card', novalidate: true, on: { submit: enter } },
        make('span', { class: 'sign' }, icon('umbel')),
        make(ended && known !== '' ? 'h2' : 'h1', { tabindex: -1, id: ids.title }, say('sign_in.title')),
        make('p', { class: 'note' }, say(ended ? 'sign_in.ended' : 'sign_in.lead')),
        make('div', { class: 'field' },
            make('label', { for: ids.address }, say('sign_in.address')), address,
            make('p', { class: 'hint', id: ids.hint }, say('sign_in.address_hint'))),
        make('div', { class: 'field' },
            make('label', { for: ids.password }, say('sign_in.password')), password,
            make('label', { class: 'choice small' }, shown, make('span', {}, say('sign_in.show')))),
        wrong, submit, other && button(say('sign_in.other'), other, { class: 'link' }));
    return { form, title: ids.title, focus: () => (known === '' ? address : password).focus() };

    async function enter(event) {
        event.preventDefault();
        // Who clicks twice guesses once.
        if (submit.getAttribute('aria-busy') === 'true') return;
        wrong.textContent = '';
        if (!address.value.trim() || !password.value) {
            wrong.textContent = say('sign_in.missing');
            (address.value.trim() ? password : address).focus();
            return;
        }
        submit.setAttribute('aria-busy', 'true');
        try {
            const whose = await signIn(address.value.trim(), password.value);
            password.value = '';
            await done(whose);
        } catch (error) {
            wrong.textContent = sayRefusal(error);
            password.value = '';
            password.focus();
        } finally {
            submit.removeAttribute('aria-busy');
        }
    }
}
