// A player: button, position, speed. Everything works by keyboard and says what it does.

import { fill, icon, make } from './dom.js';
import { clock, say, sayLength } from './say.js';

const STEP_SECONDS = 5;
const SPEEDS = ['0.75', '1', '1.25', '1.5', '2'];

let playing = null;

/// A player of `source`. `length` in seconds is shown until the browser knows better; `heard` is called at the end.
export function player(source, length, { heard = () => {} } = {}) {
    const audio = make('audio', { preload: 'none', src: source });
    const toggle = make('button', { type: 'button', class: 'play', on: { click: playOrPause, keydown: seekByKeys } });
    const position = make('input', {
        type: 'range', min: 0, max: Math.max(length, 0.1), step: 0.1, value: 0, class: 'position',
        'aria-label': say('player.position'), on: { input: seek, keydown: seekByKeys },
    });
    const times = make('span', { class: 'times', 'aria-hidden': 'true' });
    const speed = make('select', { 'aria-label': say('player.speed'), class: 'speed', on: { change: setSpeed } },
        SPEEDS.map(each => make('option', { value: each, selected: each === '1' }, say('player.speed_value', { speed: each }))));
    const wrong = make('p', { class: 'wrong', role: 'alert' });
    const element = make('div', { class: 'player', role: 'group', 'aria-label': say('player.label') },
        audio, toggle, position, times, speed, wrong);

    // The length that was told holds until the sound is here; a file that grows or streams has none.
    const full = () => (Number.isFinite(audio.duration) ? audio.duration : length);

    function show() {
        const paused = audio.paused;
        toggle.setAttribute('aria-label', say(paused ? 'player.play' : 'player.pause'));
        const picture = paused ? 'play' : 'pause';
        if (toggle.dataset.picture !== picture) {
            toggle.dataset.picture = picture;
            fill(toggle, icon(picture));
        }
        position.max = Math.max(full(), 0.1);
        position.value = audio.currentTime;
        position.setAttribute('aria-valuetext', say('player.position_value', {
            position: sayLength(audio.currentTime), length: sayLength(full()),
        }));
        position.style.setProperty('--played', `${(100 * audio.currentTime) / Math.max(full(), 0.1)}%`);
        times.textContent = `${clock(audio.currentTime)} / ${clock(Math.round(full()))}`;
    }

    async function playOrPause() {
        if (!audio.paused) {
            audio.pause();
            return;
        }
        // One voice at a time.
        if (playing !== audio) playing?.pause();
        playing = audio;
        wrong.textContent = '';
        try {
            await audio.play();
        } catch (error) {
            // Pausing before it began is no failure.
            if (error.name !== 'AbortError') failed();
        }
    }

    function failed() {
        wrong.textContent = say('player.failed');
        show();
    }

    function moveTo(seconds) {
        audio.currentTime = Math.min(Math.max(seconds, 0), full());
        show();
    }

    function seek() {
        moveTo(Number(position.value));
    }

    function seekByKeys(event) {
        const steps = { ArrowLeft: -STEP_SECONDS, ArrowRight: STEP_SECONDS, ArrowDown: -STEP_SECONDS, ArrowUp: STEP_SECONDS };
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        if (event.key === ' ' && event.currentTarget === position) playOrPause();
        else if (event.key in steps) moveTo(audio.currentTime + steps[event.key]);
        else return;
        event.preventDefault();
    }

    function setSpeed() {
        audio.playbackRate = Number(speed.value);
    }

    for (const event of ['play', 'pause', 'timeupdate', 'loadedmetadata', 'durationchange', 'seeked']) {
        audio.addEventListener(event, show);
    }
    audio.addEventListener('ended', () => { show(); heard(); });
    audio.addEventListener('error', failed);
    show();
    return {
        element, playOrPause, focus: () => toggle.focus(), stop: () => audio.pause(),
        seek: direction => moveTo(audio.currentTime + direction * STEP_SECONDS),
    };
}

/// Nothing plays any more.
export function silence() {
    playing?.pause();
    playing = null;
}
