// Working hours: days and times on the page, `mon-fri 09:00-17:00, sat 10:00-12:00` for the server.

import { button, freshId, icon, make } from './dom.js';
import { say, sayWeekday } from './say.js';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
/// As many as the server reads.
const SPANS_MAX = 14;
const USUAL = { first: 0, last: 4, from: '09:00', to: '17:00' };

/// An editor of the hours in `text`. `text()` gives them back; `wrong()` says whether any are not to be had.
export function hoursEditor(text) {
    const rows = make('div', { class: 'spans' });
    const add = button(say('routing.add_hours'), () => { put(USUAL).querySelector('select').focus(); }, { picture: 'add' });
    const told = make('p', { class: 'wrong', id: freshId() });
    const element = make('div', { class: 'hours' }, rows, told, make('div', { class: 'actions' }, add));
    const spans = read(text);
    for (const span of spans.length > 0 ? spans : [USUAL]) put(span);
    return { element, text: write, check };

    function put(span) {
        const ids = [freshId(), freshId(), freshId(), freshId()];
        const days = (id, chosen) => make('select', { id }, DAYS.map((each, day) => make('option', { value: each, selected: day === chosen }, sayWeekday(day))));
        const time = (id, value) => make('input', { type: 'time', id, value, required: true, 'aria-describedby': told.id });
        const label = (id, path) => make('label', { for: id, class: 'unseen' }, say(path));
        const row = make('div', { class: 'span', role: 'group', 'aria-label': say('routing.span', { number: rows.children.length + 1 }) },
            label(ids[0], 'routing.day_first'), days(ids[0], span.first),
            make('span', { 'aria-hidden': 'true' }, '–'), label(ids[1], 'routing.day_last'), days(ids[1], span.last),
            label(ids[2], 'routing.time_from'), time(ids[2], span.from),
            // 24:00 is the end of a day; the field has no such hour.
            make('span', { 'aria-hidden': 'true' }, '–'), label(ids[3], 'routing.time_to'), time(ids[3], span.to === '24:00' ? '00:00' : span.to),
            make('button', { type: 'button', class: 'bare', 'aria-label': say('routing.remove_hours'), on: { click: () => remove(row) } }, icon('close')));
        rows.append(row);
        row.addEventListener('input', () => tell(row, ''));
        show();
        return row;
    }

    function remove(row) {
        const neighbour = row.nextElementSibling ?? row.previousElementSibling;
        row.remove();
        show();
        (neighbour?.querySelector('select') ?? add).focus();
    }

    function show() {
        add.hidden = rows.children.length >= SPANS_MAX;
        for (const row of rows.children) row.querySelector('button').hidden = rows.children.length === 1;
    }

    function spanOf(row) {
        const [first, last] = [...row.querySelectorAll('select')].map(each => each.value);
        const [from, to] = [...row.querySelectorAll('input')].map(each => each.value);
        return { first, last, from, to: to === '00:00' ? '24:00' : to };
    }

    /// Says beside the hours what is wrong with them; gives whether nothing is.
    function check() {
        let isGood = true;
        told.textContent = '';
        for (const row of rows.children) {
            const { from, to } = spanOf(row);
            if (from !== '' && to !== '' && from < to) continue;
            isGood = false;
            tell(row, say('routing.missing_hours'));
        }
        return isGood;
    }

    function tell(row, text) {
        told.textContent = text;
        for (const each of row.querySelectorAll('input')) {
            if (text === '') each.removeAttribute('aria-invalid');
            else each.setAttribute('aria-invalid', 'true');
        }
    }

    function write() {
        return [...rows.children].map(spanOf)
            .map(({ first, last, from, to }) => `${first === last ? first : `${first}-${last}`} ${from}-${to}`).join(', ');
    }
}

/// The spans of a text that the server wrote; what is of no such form is left out.
export function read(text) {
    return text.split(',').map(each => /^\s*(\w{3})(?:-(\w{3}))?\s+(\d\d:\d\d)-(\d\d:\d\d)\s*$/.exec(each)).filter(Boolean)
        .map(([, first, last = first, from, to]) => ({ first: DAYS.indexOf(first.toLowerCase()), last: DAYS.indexOf(last.toLowerCase()), from, to }))
        .filter(span => span.first >= 0 && span.last >= 0);
}
