// For administrators: the users, and what can be done with each. Secrets are shown once, to whoever made them.

import { ask } from './api.js';
import { button, fill, freshId, icon, make } from './dom.js';
import { choice, showFirstWrong, textField, whileBusy } from './fields.js';
import { announce, notice } from './notices.js';
import { say, sayRefusal } from './say.js';
import { failed, loading, nothing } from './states.js';

const path = user => `users/${encodeURIComponent(user.address)}`;

/// Lines that are shown at once; who looks for another one types its name.
const SHOWN_MAX = 200;

export function usersView(owner) {
    const list = make('ul', { class: 'messages users', 'aria-label': say('users.list') });
    const instead = make('div', { class: 'instead' });
    const summary = make('p', { class: 'summary' });
    const title = make('h1', { tabindex: -1 }, say('users.title'));
    const id = freshId();
    const search = make('input', { type: 'search', id, placeholder: say('users.search_hint'), autocomplete: 'off', spellcheck: 'false', on: { input: () => { show(); told(); } } });
    const add = button(say('users.add'), () => form(null), { picture: 'add', class: 'chief' });
    const element = make('section', { class: 'view' },
        make('div', { class: 'title' }, title, summary),
        make('div', { class: 'tools' },
            make('form', { class: 'filter', role: 'search', on: { submit: event => event.preventDefault() } },
                make('div', { class: 'search' }, icon('search'), make('label', { for: id, class: 'unseen' }, say('users.search')), search)), add),
        list, instead);
    let users = [];

    return { element, start, refresh: () => {}, counted: () => {}, stop: () => {}, act: what => what === 'search' && (search.focus(), true) };

    async function start() {
        fill(instead, loading());
        try {
            await load();
        } catch (error) {
            fill(instead, failed(error, () => { title.focus(); start(); }));
        }
    }

    async function load() {
        const found = [];
        let after = '';
        do {
            const page = await ask('GET', `users${after}`);
            found.push(...page.users);
            after = page.next ? `?after=${encodeURIComponent(page.next)}` : '';
        } while (after !== '');
        users = found.sort((one, other) => (one.name || one.address).localeCompare(other.name || other.address));
        show();
    }

    function fitting() {
        const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
        return users.filter(user => words.every(word =>
            [user.name, user.address, user.extension].some(text => text?.toLowerCase().includes(word))));
    }

    function show() {
        const found = fitting();
        fill(list, found.slice(0, SHOWN_MAX).map(line));
        list.hidden = found.length === 0;
        summary.textContent = say('users.summary', { count: found.length });
        fill(instead, list.hidden ? nothing(say('users.none')) : found.length > SHOWN_MAX && make('p', { class: 'note' }, say('users.more', { count: found.length - SHOWN_MAX })));
    }

    function told() {
        announce(summary.textContent);
    }

    function line(user) {
        const badges = [
            user.role === 'administrator' && make('span', { class: 'badge' }, say('users.administrator')),
            !user.enabled && make('span', { class: 'badge low' }, say('users.disabled')),
            user.locked && make('span', { class: 'badge urgent' }, say('users.locked')),
            user.pin_state === 'generated' && make('span', { class: 'badge incomplete' }, say('users.pin_made')),
        ];
        const who = user.name || user.address;
        const does = (text, action, settings) => button(say(`users.${text}`), action, { 'aria-label': `${say(`users.${text}`)}: ${who}`, ...settings });
        return make('li', { class: 'message user', 'data-address': user.address },
            make('h2', { class: 'heading' }, make('span', { class: 'who' }, who), make('span', { class: 'when' }, user.extension ?? '')),
            make('div', { class: 'facts' }, badges, make('span', {}, user.address), user.email && make('span', {}, user.email)),
            make('div', { class: 'actions' },
                does('edit', () => form(user), { picture: 'edit', 'data-name': 'edit' }),
                does('reset_pin', () => resetPin(user, who), { picture: 'key', 'data-name': 'pin' }),
                user.locked && does('unlock', () => unlock(user, who), { picture: 'unlock', 'data-name': 'unlock' }),
                user.address !== owner.me.address && does('remove', () => remove(user, who), { picture: 'delete', class: 'grave', 'data-name': 'remove' })));
    }

    /// The user anew as the server has it, in its place; who stood on its line stands there again.
    function put(user) {
        users = [...users.filter(each => each.address !== user.address), user]
            .sort((one, other) => (one.name || one.address).localeCompare(other.name || other.address));
        show();
        list.querySelector(`[data-address="${CSS.escape(user.address)}"] button`)?.focus();
    }

    /// Adding one, or editing.
    function form(user) {
        const domain = owner.me.address.slice(owner.me.address.indexOf('@'));
        const field = (name, settings = {}) => textField(say(`users.${name}`), { value: user?.[name] ?? '', maxlength: 255, autocomplete: 'off', ...settings });
        const address = user === null && field('address', { hint: say('users.address_hint', { example: `alice${domain}` }), autocapitalize: 'none', inputmode: 'email' });
        const name = field('name');
        const extension = field('extension', { inputmode: 'tel' });
        const email = field('email', { hint: say('users.email_hint'), inputmode: 'email', autocapitalize: 'none' });
        const password = field('password', { value: '', type: 'password', autocomplete: 'new-password', maxlength: 1024, hint: say(user === null ? 'users.password_hint_new' : 'users.password_hint') });
        const administrator = choice('checkbox', say('users.role'), { hint: say('users.role_hint'), checked: user?.role === 'administrator' });
        const enabled = choice('checkbox', say('users.enabled'), { hint: say('users.enabled_hint'), checked: user?.enabled ?? true });
        const fields = { address, name, extension, email, password };
        const title = user === null ? say('users.add_title') : say('users.edit_title', { user: user.name || user.address });
        question(title, [Object.values(fields).filter(Boolean).map(each => each.element), enabled.element, administrator.element], say('users.save'), 'chief', async (told, done) => {
            address && address.wrong(address.value() === '' ? say('users.missing') : '');
            if (showFirstWrong(told.form)) return;
            const wanted = {
                name: name.value(), extension: extension.value() || null, email: email.value() || null,
                enabled: enabled.input.checked, role: administrator.input.checked ? 'administrator' : 'user',
            };
            if (password.input.value !== '') wanted.password = password.input.value;
            try {
                const whole = address && (address.value().includes('@') ? address.value() : address.value() + domain);
                const made = user === null ? await ask('POST', 'users', { address: whole, ...wanted }) : await ask('PATCH', path(user), wanted);
                const { generated_pin: pin, ...now } = made;
                done();
                put(now);
                const who = now.name || now.address;
                if (pin !== undefined) showPin(who, pin);
                else notice(say(user === null ? 'users.added' : 'users.saved', { user: who }));
            } catch (error) {
                const beside = ['user-exists', 'name-is-pilot'].includes(error.code) ? (address || extension) : error.code === 'invalid' && fields[error.told.split(':')[0]];
                if (beside) {
                    beside.wrong(sayRefusal(error));
                    beside.focus();
                } else {
                    told.wrong(sayRefusal(error));
                }
            }
        });
    }

    function resetPin(user, who) {
        question(say('users.reset_title', { user: who }), make('p', {}, say('users.reset_lead')), say('users.reset'), 'chief', async (told, done) => {
            try {
                const { generated_pin: pin, ...now } = await ask('PATCH', path(user), { pin: '' });
                done();
                put(now);
                showPin(who, pin);
            } catch (error) {
                told.wrong(sayRefusal(error));
            }
        });
    }

    async function unlock(user, who) {
        try {
            await ask('POST', `${path(user)}/unlock`);
            put({ ...user, locked: false, locked_until: null });
            notice(say('users.unlocked', { user: who }));
        } catch (error) {
            notice(sayRefusal(error), { wrong: true });
        }
    }

    function remove(user, who) {
        question(say('users.remove_title', { user: who }), make('p', {}, say('users.remove_lead')), say('users.remove_confirm'), 'grave filled', async (told, done) => {
            try {
                await ask('DELETE', path(user));
                users = users.filter(each => each.address !== user.address);
                done();
                show();
                title.focus();
                notice(say('users.removed', { user: who }));
            } catch (error) {
                told.wrong(sayRefusal(error));
            }
        });
    }
}

/// A dialog with a question and two ways out.
function question(title, children, yes, look, action) {
    const id = freshId();
    const wrong = make('p', { class: 'wrong', role: 'alert' });
    const submit = make('button', { type: 'submit', class: look }, yes);
    const form = make('form', { novalidate: true }, make('h2', { id }, title), children, wrong,
        make('div', { class: 'actions' }, button(say('users.cancel'), () => dialog.close()), submit));
    const dialog = make('dialog', { 'aria-labelledby': id, on: { close: () => dialog.remove() } }, form);
    const told = { form, wrong: text => { wrong.textContent = text; } };
    form.addEventListener('submit', whileBusy(submit, () => { told.wrong(''); return action(told, () => dialog.close()); }));
    document.body.append(dialog);
    dialog.showModal();
    (form.querySelector('input:not([type="checkbox"])') ?? form.querySelector('.actions button')).focus();
}

/// A PIN that was made, this once.
function showPin(who, pin) {
    const id = freshId();
    const copied = make('span', { class: 'hint', role: 'status' });
    const copy = async () => {
        await navigator.clipboard.writeText(pin);
        copied.textContent = say('users.copied');
    };
    // Gone at once: a browser that nobody looks at tells of the end of a dialog only when somebody does.
    const leave = () => {
        dialog.close();
        dialog.remove();
    };
    const dialog = make('dialog', { 'aria-labelledby': id, on: { close: () => dialog.remove() } },
        make('div', { class: 'told-once' },
            make('h2', { id }, say('users.pin_title', { user: who })),
            make('p', { class: 'note' }, say('users.pin_lead')),
            make('p', { class: 'secret' }, make('output', {}, pin)),
            make('div', { class: 'actions' }, copied,
                // Browsers hand out the clipboard on secure pages only.
                navigator.clipboard && button(say('users.copy'), copy, { picture: 'copy' }),
                button(say('users.close'), leave, { class: 'chief' }))));
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector('.chief').focus();
}
