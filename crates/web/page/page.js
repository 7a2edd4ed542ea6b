// The page: who is signed in, which view is shown, and news from the server.

import { ask, mailboxEvents, resume, session, signOut } from './api.js';
import { button, fill, icon, make } from './dom.js';
import { greetingsView } from './greetings.js';
import { messagesView } from './messages.js';
import { clear, noticeElements } from './notices.js';
import { callElement, calls, dismissCall, resumeCall } from './phone.js';
import { silence } from './player.js';
import { knownZone, say } from './say.js';
import { settingsView } from './settings.js';
import { signInView } from './sign-in.js';
import { language } from './words.js';

/// How long we wait before we ask again for news that were refused.
const AGAIN_MILLISECONDS = 30_000;

const root = document.getElementById('page');

const VIEWS = {
    '#messages': owner => messagesView('kept', owner),
    '#deleted': owner => messagesView('deleted', owner),
    '#greetings': greetingsView,
    '#settings': settingsView,
};
const SECTION_OF = { '#messages': 'messages', '#deleted': 'messages', '#greetings': 'greetings', '#settings': 'settings' };

let view = null;
let news = null;
const content = make('main', { id: 'content', tabindex: -1 });

/// What the server says of who is signed in, and what the views tell the page.
const owner = {
    me: null,
    took(me) {
        owner.me = { ...me, zone: knownZone(me.time_zone) };
        calls.owner = owner.me;
        counted(me.counts);
    },
    async refresh({ background = false } = {}) {
        owner.took(await ask('GET', 'me', undefined, { background }));
    },
};

calls.ended = () => { view?.recorded?.(); };
session.ended = () => showSignIn(true);
window.addEventListener('hashchange', () => { if (owner.me !== null) showView(true); });
document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && owner.me !== null) listenForNews();
});

document.documentElement.lang = language;
start();

async function start() {
    const resumed = await resume().catch(() => false);
    if (resumed) await enter();
    else showSignIn(false);
}

async function enter() {
    await owner.refresh();
    frame();
    showView(false);
    resumeCall();
    listenForNews();
}

function showSignIn(ended) {
    news?.close();
    news = null;
    view?.stop();
    view = null;
    silence();
    dismissCall();
    clear();
    owner.me = null;
    session.csrf = null;
    document.title = say('page_title');
    const form = signInView(ended, enter);
    fill(root, form.element);
    form.focus();
}

/// What stands around every view.
function frame() {
    const { me } = owner;
    const links = ['messages', 'greetings', 'settings'].map(section =>
        make('a', { href: `#${section}`, 'data-section': section }, say(`navigation.${section}`)));
    fill(root,
        make('a', { class: 'skip', href: '#content', on: { click: skip } }, say('skip_to_content')),
        make('header', { class: 'top' },
            make('div', { class: 'inner' },
                make('span', { class: 'brand' }, icon('umbel'), make('span', {}, say('product'))),
                make('nav', { class: 'sections', 'aria-label': say('navigation.label') }, links),
                make('div', { class: 'owner' },
                    make('span', { class: 'name', title: say('signed_in_as', { address: me.address }) }, me.name || me.address),
                    button(say('sign_out'), leave, { class: 'link' })))),
        content, callElement(), noticeElements());
}

function skip(event) {
    event.preventDefault();
    content.focus();
}

async function leave() {
    await signOut().catch(() => {});
    showSignIn(false);
}

function showView(moveFocus) {
    const hash = location.hash in VIEWS ? location.hash : '#messages';
    view?.stop();
    silence();
    clear();
    view = VIEWS[hash](owner);
    fill(content, view.element);
    for (const link of root.querySelectorAll('.sections a')) {
        if (link.dataset.section === SECTION_OF[hash]) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
    }
    view.counted(owner.me.counts);
    view.start();
    // Who came by a link reads on at the new view; who just signed in, too.
    content.querySelector('h1').focus({ preventScroll: !moveFocus });
    window.scrollTo(0, 0);
}

/// The number of new messages, where it is shown.
function counted(counts) {
    document.title = counts.new > 0 ? say('page_title_new', { count: counts.new }) : say('page_title');
    view?.counted(counts);
}

/// The server tells when the mailbox changed; the browser opens the stream again when it breaks.
function listenForNews() {
    if (news !== null && news.readyState !== EventSource.CLOSED) return;
    news = new EventSource(mailboxEvents);
    news.addEventListener('counts', event => {
        owner.me.counts = JSON.parse(event.data);
        counted(owner.me.counts);
        view?.refresh({ background: true });
    });
    news.addEventListener('signed-out', () => showSignIn(true));
    // Another page of this session listens in our place; we ask anew when somebody looks at us.
    news.addEventListener('superseded', () => news.close());
    news.addEventListener('error', askAgainLater);
}

/// The browser opens a broken stream again by itself, but not one that was refused.
function askAgainLater() {
    if (news?.readyState !== EventSource.CLOSED) return;
    setTimeout(() => {
        if (owner.me === null) return;
        // Whether the session is over shows here, too.
        const background = { background: true };
        owner.refresh(background).then(() => view?.refresh(background)).catch(() => {});
        listenForNews();
    }, AGAIN_MILLISECONDS);
}
