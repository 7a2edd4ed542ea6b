// What happens to the owner's calls: the routing rules, as questions that people ask themselves.

import { ask } from './api.js';
import { freshId, icon, make } from './dom.js';
import { choice, showFirstWrong, textField, whileBusy } from './fields.js';
import { hoursEditor } from './hours.js';
import { notice } from './notices.js';
import { say, sayRefusal } from './say.js';

/// Rules that this page has a question for. Others are told, and left as they are.
const KNOWN = ['forward-immediate', 'forward-unanswered', 'no-voicemail', 'ring-also', 'ring-time', 'team', 'delegates',
    'team-after', 'team-time', 'work-hours', 'do-not-disturb'];
const SECONDS_MAX = 1_200;

/// A value as it is kept: `off:` before it says that it is not used.
function valueOf(text = '') {
    const unused = /^off(?::|$)/i.test(text);
    return { value: unused ? text.replace(/^off:?\s*/i, '') : text, used: text !== '' && !unused };
}

export function routingCard(owner) {
    const rules = owner.me.routing ?? {};
    const kept = Object.fromEntries(KNOWN.map(name => [name, valueOf(rules[name])]));
    const is = name => kept[name].used && kept[name].value !== 'no';
    const target = (label, name, extra = {}) => textField(label, {
        value: kept[name].value, maxlength: 4096, autocomplete: 'off', autocapitalize: 'none', hint: say('routing.target_hint'), ...extra });
    const seconds = (label, name, usual) => textField(label, {
        value: kept[name].value.replace(/\s*s$/, ''), inputmode: 'numeric', maxlength: 4, placeholder: usual, autocomplete: 'off' });

    // When somebody calls.
    const group = freshId();
    const ring = choice('radio', say('routing.ring'), { name: group, value: 'ring' });
    const disturb = choice('radio', say('routing.do_not_disturb'), { name: group, value: 'disturb', hint: say('routing.do_not_disturb_hint') });
    const forward = choice('radio', say('routing.forward'), { name: group, value: 'forward' });
    const forwardTo = target(say('routing.forward_to'), 'forward-immediate');
    const ringTime = seconds(say('routing.ring_time'), 'ring-time');
    ring.input.checked = !is('do-not-disturb') && !is('forward-immediate');
    disturb.input.checked = is('do-not-disturb') && !is('forward-immediate');
    forward.input.checked = is('forward-immediate');

    // When nobody answers. Voice mail as a target is what happens anyway.
    const unansweredGroup = freshId();
    const goesOn = is('forward-unanswered') && kept['forward-unanswered'].value.toLowerCase() !== 'voicemail';
    const voiceMail = choice('radio', say('routing.voice_mail'), { name: unansweredGroup, value: 'voicemail' });
    const unanswered = choice('radio', say('routing.forward_unanswered'), { name: unansweredGroup, value: 'forward' });
    const hangUp = choice('radio', say('routing.hang_up'), { name: unansweredGroup, value: 'end' });
    const unansweredTo = target(say('routing.forward_to'), 'forward-unanswered', { hint: undefined });
    unanswered.input.checked = goesOn;
    hangUp.input.checked = !goesOn && is('no-voicemail');
    voiceMail.input.checked = !goesOn && !is('no-voicemail');

    // Who else rings.
    const also = choice('checkbox', say('routing.ring_also'), { checked: is('ring-also') });
    const alsoTo = target(say('routing.ring_also_to'), 'ring-also', { hint: undefined });
    const list = (label, name) => textField(label, {
        multiline: true, rows: 2, value: kept[name].value, maxlength: 4096, autocapitalize: 'none', hint: say('routing.list_hint') });
    const team = choice('checkbox', say('routing.team'), { checked: is('team') });
    const teamList = list(say('routing.team_list'), 'team');
    const delegates = choice('checkbox', say('routing.delegates'), { checked: is('delegates') });
    const delegatesList = list(say('routing.delegates_list'), 'delegates');
    const teamAfter = seconds(say('routing.team_after'), 'team-after', '10');
    const teamTime = seconds(say('routing.team_time'), 'team-time', '20');
    const both = make('p', { class: 'explained' }, say('routing.both'));

    // Only within working hours.
    const within = choice('checkbox', say('routing.hours'), { checked: is('work-hours'), hint: say('routing.hours_hint') });
    const always = kept['work-hours'].value.toLowerCase() === 'always';
    const hours = hoursEditor(always ? '' : kept['work-hours'].value);

    const others = Object.keys(rules).filter(name => !KNOWN.includes(name));
    const submit = make('button', { type: 'submit', class: 'chief' }, say('routing.save'));
    const wrong = make('p', { class: 'wrong', role: 'alert' });
    const parts = {
        forward: indented(forwardTo.element), ring: indented(make('div', { class: 'brief' }, ringTime.element)),
        unanswered: indented(unansweredTo.element), also: indented(alsoTo.element), team: indented(teamList.element),
        delegates: indented(delegatesList.element), waits: indented(both, make('div', { class: 'pair brief' }, teamAfter.element, teamTime.element)),
        hours: indented(hours.element, make('p', { class: 'hint' }, say('routing.hours_zone', { zone: owner.me.time_zone || say('routing.zone_of_server') }))),
    };
    const rest = make('fieldset', { class: 'question' }, make('legend', {}, say('routing.unanswered')),
        voiceMail.element, unanswered.element, parts.unanswered, hangUp.element);
    const more = make('fieldset', { class: 'question' }, make('legend', {}, say('routing.others')),
        also.element, parts.also, team.element, parts.team, delegates.element, parts.delegates, parts.waits);
    const form = make('form', { class: 'card', novalidate: true, 'aria-labelledby': `${group}t`, on: { change: show } },
        make('h2', { id: `${group}t` }, say('routing.title')), make('p', { class: 'note' }, say('routing.lead')),
        others.length > 0 && make('p', { class: 'explained warned' }, icon('warning'), make('span', {}, say('routing.other_rules', { rules: others.join(', ') }))),
        make('fieldset', { class: 'question' }, make('legend', {}, say('routing.at_once')),
            ring.element, parts.ring, disturb.element, forward.element, parts.forward),
        rest, more,
        make('fieldset', { class: 'question' }, make('legend', { class: 'unseen' }, say('routing.hours')), within.element, parts.hours),
        wrong, make('div', { class: 'actions' }, submit));
    form.addEventListener('submit', whileBusy(submit, save));
    show();
    return { element: form };

    /// Only what the answers so far ask for.
    function show() {
        parts.forward.hidden = !forward.input.checked;
        parts.ring.hidden = !ring.input.checked;
        parts.unanswered.hidden = !unanswered.input.checked;
        parts.also.hidden = !also.input.checked;
        parts.team.hidden = !team.input.checked;
        parts.delegates.hidden = !delegates.input.checked;
        parts.waits.hidden = !team.input.checked && !delegates.input.checked;
        both.hidden = !team.input.checked || !delegates.input.checked;
        parts.hours.hidden = !within.input.checked;
        // Forwarded calls ring nobody here.
        rest.hidden = forward.input.checked;
        more.hidden = forward.input.checked;
    }

    /// What is kept of a field: used, kept for another time, or not there.
    function written(field, used) {
        const text = field.value().replaceAll('\n', ' ');
        return text === '' ? null : `${used ? '' : 'off:'}${text}`;
    }

    function wanted() {
        const wait = field => (field.value() === '' ? null : `${field.value()}s`);
        // Forwarding at once takes its place for as long as it holds.
        const goesTo = unanswered.input.checked && !forward.input.checked;
        return {
            'forward-immediate': forward.input.checked ? forwardTo.value() : null,
            'do-not-disturb': disturb.input.checked ? 'yes' : null,
            'ring-time': wait(ringTime),
            'forward-unanswered': unansweredTo.value().toLowerCase() === 'voicemail' ? null : written(unansweredTo, goesTo),
            'no-voicemail': hangUp.input.checked ? 'yes' : null,
            'ring-also': written(alsoTo, also.input.checked),
            team: written(teamList, team.input.checked),
            delegates: written(delegatesList, delegates.input.checked),
            'team-after': wait(teamAfter),
            'team-time': wait(teamTime),
            'work-hours': within.input.checked ? hours.text() : kept['work-hours'].value && `off:${always ? 'always' : hours.text()}`,
        };
    }

    function check() {
        const needs = (field, used, text) => field.wrong(used && field.value() === '' ? say(text) : '');
        needs(forwardTo, forward.input.checked, 'routing.missing');
        needs(unansweredTo, unanswered.input.checked && !rest.hidden, 'routing.missing');
        needs(alsoTo, also.input.checked && !more.hidden, 'routing.missing');
        needs(teamList, team.input.checked && !more.hidden, 'routing.missing_list');
        needs(delegatesList, delegates.input.checked && !more.hidden, 'routing.missing_list');
        for (const field of [ringTime, teamAfter, teamTime]) {
            const isGood = /^\d*$/.test(field.value()) && Number(field.value()) <= SECONDS_MAX;
            field.wrong(isGood ? '' : say('routing.bad-seconds'));
        }
        if (within.input.checked) hours.check();
        return !showFirstWrong(form);
    }

    async function save() {
        wrong.textContent = '';
        if (!check()) return;
        try {
            owner.took(await ask('PATCH', 'me', { routing: wanted() }));
            notice(say('routing.saved'));
        } catch (error) {
            refused(error);
        }
    }

    /// The server names the rule that it does not take: what is wrong is said beside its field.
    function refused(error) {
        const beside = {
            'forward-immediate': [forwardTo, 'target'], 'forward-unanswered': [unansweredTo, 'target'], 'ring-also': [alsoTo, 'target'],
            team: [teamList, 'list'], delegates: [delegatesList, 'list'], 'ring-time': [ringTime, 'seconds'],
            'team-after': [teamAfter, 'seconds'], 'team-time': [teamTime, 'seconds'],
        };
        const [field, sort] = (error.code === 'invalid' && beside[error.told.split(':')[0]]) || [];
        // One that is not shown, since it is kept for another time, is told where all is.
        if (field === undefined || field.element.closest('[hidden]') !== null) {
            wrong.textContent = error.code === 'not-allowed' ? say('routing.not-allowed') : sayRefusal(error);
            submit.focus();
            return;
        }
        field.wrong(say(`routing.bad-${sort}`));
        field.focus();
    }
}

const indented = (...children) => make('div', { class: 'indented' }, ...children);
