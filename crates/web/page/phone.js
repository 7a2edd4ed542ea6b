// Play on Phone: asking which phone should ring, and following the call until it is over.

import { ask, phoneCallEvents } from './api.js';
import { button, fill, freshId, icon, make } from './dom.js';
import { say, sayRefusal } from './say.js';

const POLL_MILLISECONDS = 2_000;

const bar = make('section', { class: 'call', 'aria-label': say('phone.label'), hidden: true });
/// Where the call is shown: one element for as long as the page lives.
export const callElement = () => bar;

/// Who is signed in, and whom to tell that a call is over: a greeting may have been recorded.
export const calls = { owner: null, ended: () => {} };

/// The call that is followed, kept so that loading the page anew does not lose it.
const KEPT = 'call';
let stopFollowing = () => {};

/// Asks which phone should ring for `what`: `{ message, caller }` or `{ greeting, name }`.
export function askForCall(what) {
    const greeting = what.greeting !== undefined;
    const offered = calls.owner?.play_on_phone_dial_string || '';
    const ids = { title: freshId(), number: freshId(), hint: freshId(), group: freshId() };
    const wrong = make('p', { class: 'wrong', role: 'alert' });
    const number = make('input', {
        type: 'text', id: ids.number, inputmode: 'text', autocomplete: 'tel', value: offered, maxlength: 128,
        'aria-describedby': ids.hint, spellcheck: 'false', on: { input: () => { other.checked = true; } },
    });
    const own = make('input', { type: 'radio', name: ids.group, value: 'own', checked: offered === '' });
    const other = make('input', { type: 'radio', name: ids.group, value: 'number', checked: offered !== '', on: { change: () => number.focus() } });
    const call = make('button', { type: 'submit', class: 'chief' }, icon('telephone'), make('span', {}, say('phone.call')));
    const title = say(greeting ? 'phone.title_greeting' : 'phone.title');
    const lead = greeting ? say('phone.lead_greeting', { greeting: what.name }) : say('phone.lead', { caller: what.caller });
    const dialog = make('dialog', { 'aria-labelledby': ids.title, on: { close: () => dialog.remove() } },
        make('form', { on: { submit: place }, novalidate: true },
            make('h2', { id: ids.title }, title),
            make('p', { class: 'note' }, lead),
            make('fieldset', {},
                make('legend', {}, say('phone.where')),
                make('label', { class: 'choice' }, own, make('span', {}, say('phone.own'),
                    make('span', { class: 'hint' }, calls.owner?.address ?? ''))),
                make('label', { class: 'choice' }, other, make('span', {}, say('phone.number')))),
            make('div', { class: 'field' },
                make('label', { for: ids.number }, say('phone.number_label')), number,
                make('p', { class: 'hint', id: ids.hint }, say('phone.number_hint'))),
            wrong,
            make('div', { class: 'actions' }, button(say('phone.cancel'), () => dialog.close()), call)));
    document.body.append(dialog);
    dialog.showModal();
    call.focus();

    async function place(event) {
        event.preventDefault();
        wrong.textContent = '';
        const dialled = own.checked ? null : number.value.trim();
        if (dialled === '') {
            wrong.textContent = say('phone.number_missing');
            number.focus();
            return;
        }
        const asked = greeting ? { greeting: what.greeting } : { message_id: what.message.id };
        if (dialled !== null) asked.number = dialled;
        call.disabled = true;
        try {
            const placed = await ask('POST', 'play-on-phone', asked);
            dialog.close();
            follow(placed, { greeting, dialled });
            bar.querySelector('button').focus();
        } catch (error) {
            wrong.textContent = sayRefusal(error);
            call.disabled = false;
            call.focus();
        }
    }
}

/// Shows how the call stands, as the server tells it, until it is over.
function follow(first, { greeting, dialled }) {
    const number = dialled ?? '';
    const words = make('p', { class: 'standing', role: 'status', 'aria-live': 'polite' });
    const detail = make('p', { class: 'hint' });
    const end = button(say('phone.hang_up'), hangUp, { picture: 'hang-up', class: 'grave filled' });
    let hungUp = false;
    let told = false;
    let over = false;
    let polling = null;
    dismissCall();
    sessionStorage.setItem(KEPT, JSON.stringify({ id: first.id, greeting, dialled }));
    fill(bar, make('span', { class: 'sign' }, icon('telephone')), make('div', { class: 'told' }, words, detail), end);
    bar.hidden = false;
    // What the live region says first is a change only once the region is there. The stream may have told more by then.
    if (first.state) requestAnimationFrame(() => { if (!told) show(first); });

    const events = new EventSource(phoneCallEvents(first.id));
    events.addEventListener('message', event => show(JSON.parse(event.data)));
    events.addEventListener('error', lost);
    stopFollowing = () => {
        over = true;
        events.close();
        clearInterval(polling);
        sessionStorage.removeItem(KEPT);
    };

    function show(standing) {
        if (over) return;
        told = true;
        bar.dataset.state = standing.state.toLowerCase();
        tell(sentence(standing));
        if (standing.state !== 'Disconnected') return;
        bar.dataset.cause = standing.cause.toLowerCase();
        stopFollowing();
        if (failed(standing) && standing.sip_code) {
            detail.textContent = say('phone.detail', { code: standing.sip_code, reason: standing.sip_reason ?? '' });
        }
        const stoodThere = bar.contains(document.activeElement);
        const close = button(say('phone.close'), dismiss, { picture: 'close' });
        end.replaceWith(close);
        if (stoodThere) close.focus();
        calls.ended();
    }

    function tell(text) {
        // Said again by assistive technology only where it is another.
        if (words.textContent !== text) words.textContent = text;
    }

    function failed(standing) {
        return standing.cause !== 'None' && !hungUp;
    }

    function sentence(standing) {
        const own = dialled === null ? '_own' : '';
        if (hungUp) return say(standing.state === 'Disconnected' ? 'phone.hung_up' : 'phone.hanging_up');
        switch (standing.state) {
            case 'Connecting': return say(`phone.connecting${own}`, { number });
            case 'Alerted': return say(`phone.alerted${own}`, { number });
            case 'Connected': return say(greeting ? 'phone.connected_greeting' : 'phone.connected');
            default: break;
        }
        const causes = { None: 'ended', UserBusy: 'busy', NoAnswer: 'no_answer', Unavailable: 'unavailable' };
        const cause = causes[standing.cause] ?? 'other';
        return say(cause === 'unavailable' ? `phone.${cause}${own}` : `phone.${cause}`, { number });
    }

    async function hangUp() {
        if (hungUp) return;
        hungUp = true;
        // Not `disabled`: who stands on it would fall off.
        end.setAttribute('aria-disabled', 'true');
        tell(say('phone.hanging_up'));
        try {
            await ask('DELETE', `play-on-phone/${first.id}`);
        } catch (error) {
            // It may be over by itself; then the server has told or forgotten it.
            if (error.status === 404) show({ state: 'Disconnected', cause: 'None' });
            else {
                hungUp = false;
                end.removeAttribute('aria-disabled');
                tell(sayRefusal(error));
            }
        }
    }

    /// The browser opens the stream again by itself; where it gives up, we ask instead.
    function lost() {
        if (over) return;
        tell(say('phone.lost'));
        if (events.readyState !== EventSource.CLOSED || polling !== null) return;
        polling = setInterval(async () => {
            try {
                show(await ask('GET', `play-on-phone/${first.id}`, undefined, { background: true }));
            } catch (error) {
                if (error.status === 404) show({ state: 'Disconnected', cause: 'None' });
            }
        }, POLL_MILLISECONDS);
    }

    function dismiss() {
        dismissCall();
        document.querySelector('h1')?.focus();
    }
}

/// Goes on following the call of before the page was loaded anew.
export function resumeCall() {
    const kept = sessionStorage.getItem(KEPT);
    if (kept === null) return;
    const { id, greeting, dialled } = JSON.parse(kept);
    follow({ id }, { greeting, dialled });
}

/// Takes the call off the page; whether it goes on is the telephone's business.
export function dismissCall() {
    stopFollowing();
    stopFollowing = () => {};
    bar.hidden = true;
    fill(bar);
    delete bar.dataset.state;
    delete bar.dataset.cause;
}
