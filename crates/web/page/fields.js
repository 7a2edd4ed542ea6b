// Fields of forms: a label, the field, a hint, and what is wrong with it, told beside it and by assistive technology.

import { freshId, make } from './dom.js';

/// A field for one text. `wrong(text)` says what is wrong with it, or with an empty text that nothing is.
export function textField(label, { hint, multiline = false, value = '', ...attributes } = {}) {
    const ids = { field: freshId(), hint: freshId(), wrong: freshId() };
    const described = [hint && ids.hint, ids.wrong].filter(Boolean).join(' ');
    const tag = multiline ? 'textarea' : 'input';
    const input = make(tag, { id: ids.field, type: multiline ? null : 'text', spellcheck: 'false', 'aria-describedby': described, ...attributes });
    input.value = value;
    const told = make('p', { class: 'wrong', id: ids.wrong });
    const element = make('div', { class: 'field' },
        make('label', { for: ids.field }, label), input, hint && make('p', { class: 'hint', id: ids.hint }, hint), told);
    input.addEventListener('input', () => wrong(''));
    return { element, input, wrong, value: () => input.value.trim(), focus: () => input.focus() };

    function wrong(text) {
        told.textContent = text;
        if (text === '') input.removeAttribute('aria-invalid');
        else input.setAttribute('aria-invalid', 'true');
    }
}

/// One of several, or whether something holds: the input, and its label around it.
export function choice(type, text, { hint, ...attributes } = {}) {
    const input = make('input', { type, ...attributes });
    const element = make('label', { class: 'choice' }, input,
        make('span', {}, text, hint && make('span', { class: 'hint' }, hint)));
    return { element, input };
}

/// Takes the reader to the first field that is wrong; says whether there is any.
export function showFirstWrong(form) {
    const first = form.querySelector('[aria-invalid="true"]');
    first?.focus();
    return first !== null;
}

/// Runs what a form does once at a time, with its button showing that it is under way.
export function whileBusy(submit, action) {
    return async event => {
        event.preventDefault();
        if (submit.getAttribute('aria-busy') === 'true') return;
        submit.setAttribute('aria-busy', 'true');
        try {
            await action();
        } finally {
            submit.removeAttribute('aria-busy');
        }
    };
}
