// The page: who is signed in, which view is shown, and news from the server.

import { Refused, ask, mailboxEvents, resume, session, signOut, takeUp } from './api.js';
import { connection, connectionElement, forgetConnection, reached } from './connection.js';
import { button, fill, icon, make } from './dom.js';
import { greetingsView } from './greetings.js';
import { messagesView } from './messages.js';
import { missedCallsView } from './missed.js';
import { clear, noticeElements } from './notices.js';
import { callElement, calls, dismissCall, resumeCall } from './phone.js';
import { silence } from './player.js';
import { knownZone, say, speak } from './say.js';
import { settingsView } from './settings.js';
import { listenForKeys, showShortcuts } from './shortcuts.js';
import { signInForm } from './sign-in.js';
import { usersView } from './users.js';

/// How long we wait before we ask again for news that were refused.
const AGAIN_MILLISECONDS = 30_000;
/// News that come one after the other are looked at together.
const TOGETHER_MILLISECONDS = 150;

const root = document.getElementById('page');

/// Each view, the section of the page that it belongs to, and who sees it.
const VIEWS = {
    '#messages': { view: owner => messagesView('kept', owner), section: 'messages' },
    '#missed': { view: missedCallsView, section: 'messages' },
    '#deleted': { view: owner => messagesView('deleted', owner), section: 'messages' },
    '#greetings': { view: greetingsView, section: 'greetings' },
    '#settings': { view: settingsView, section: 'settings' },
    '#users': { view: usersView, section: 'users', administrators: true },
};
const SECTIONS = ['messages', 'greetings', 'settings', 'users'];

let view = null;
let news = null;
/// What is told of the owner is numbered by when it was asked for. An answer that is older than what is known is not taken.
let numbers = 0;
let known = 0;
/// The latest news among it: of the numbers of messages alone.
let countedLast = 0;
let freshly = null;
/// While the same person is asked to sign in again: what waits for it.
let again = null;
const content = make('main', { id: 'content', tabindex: -1 });

/// What the server says of who is signed in, and what the views tell the page.
const owner = {
    me: null,
    /// Takes what was asked for under a number, or what was just set here: that is newer, but for the numbers of messages.
    took(me, asked = null) {
        const number = asked ?? nextNumber();
        if (number < known) return;
        known = number;
        const counts = asked === null || number < countedLast ? owner.me.counts : me.counts;
        owner.me = { ...me, counts, zone: knownZone(me.time_zone) };
        calls.owner = owner.me;
        counted(counts);
    },
    async refresh({ background = false } = {}) {
        const number = nextNumber();
        owner.took(await ask('GET', 'me', undefined, { background }), number);
    },
    /// The language is another: everything is said anew.
    speak() {
        speak(owner.me.language);
        frame();
        showView(true);
    },
    /// Does something that ends every session. That ours has ended is then no news.
    async withoutNews(action) {
        news?.close();
        news = null;
        try {
            await action();
        } finally {
            listenForNews();
        }
    },
    /// The view anew, since what it shows is another.
    show: () => showView(true),
};

calls.ended = () => { view?.recorded?.(); };
session.over = () => { again ??= goOn().finally(() => { again = null; }); return again; };
session.reached = is => { if (owner.me !== null) reached(is); };
connection.tryNow = async () => {
    await owner.refresh({ background: true });
    listenForNews();
    await view?.refresh({ background: true });
};
window.addEventListener('hashchange', () => { if (owner.me !== null) showView(true); });
document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && owner.me !== null) listenForNews();
});
listenForKeys(what => owner.me !== null && Boolean(view?.act?.(what)));

speak();
start();

function nextNumber() {
    numbers += 1;
    return numbers;
}

async function start() {
    const resumed = await resume().catch(() => false);
    if (resumed) await enter();
    else showSignIn(false);
}

async function enter() {
    await owner.refresh();
    speak(owner.me.language);
    frame();
    showView(false);
    resumeCall();
    listenForNews();
}

/// Nobody is signed in: whatever was shown is gone.
function showSignIn(ended) {
    news?.close();
    news = null;
    view?.stop();
    view = null;
    silence();
    dismissCall();
    clear();
    forgetConnection();
    owner.me = null;
    // Nor is anything taken that is still under way.
    known = nextNumber();
    session.csrf = null;
    document.title = say('page_title');
    const form = signInForm({ ended, done: enter });
    fill(root, make('main', { class: 'sign-in' }, form.form));
    form.focus();
}

/// The session has ended in the middle of something; kept when the same person is signed in again, perhaps in another tab.
async function goOn() {
    if (owner.me === null) throw new Refused(401, 'session-over');
    if (await takeUp(owner.me.address).catch(() => false)) listenForNews();
    else await signInAgain();
}

/// Asks who it is. Nothing of the page is shown, and nothing is lost when the same person signs in again; kept when they
/// have, here or in another tab.
function signInAgain() {
    news?.close();
    news = null;
    silence();
    clear();
    const { address } = owner.me;
    return new Promise((kept, lost) => {
        const leave = () => {
            document.removeEventListener('visibilitychange', look);
            dialog.close();
            dialog.remove();
        };
        const back = () => {
            leave();
            kept();
            listenForNews();
            owner.refresh({ background: true }).then(() => view?.refresh({ background: true })).catch(() => {});
        };
        // Whoever comes back from another tab may have signed in there.
        const look = async () => {
            if (document.visibilityState === 'visible' && await takeUp(address).catch(() => false) && dialog.open) back();
        };
        const gone = () => lost(new Refused(401, 'session-over'));
        const form = signInForm({
            ended: true,
            address,
            other() {
                leave();
                gone();
                for (const each of document.querySelectorAll('dialog')) each.remove();
                showSignIn(false);
            },
            async done(whose) {
                if (whose === address) {
                    back();
                    return;
                }
                leave();
                gone();
                for (const each of document.querySelectorAll('dialog')) each.remove();
                await enter();
            },
        });
        const dialog = make('dialog', { class: 'sign-in', 'aria-labelledby': form.title, on: { cancel: event => event.preventDefault() } }, form.form);
        document.body.append(dialog);
        dialog.showModal();
        form.focus();
        document.addEventListener('visibilitychange', look);
    });
}

/// What stands around every view.
function frame() {
    const { me } = owner;
    const links = SECTIONS.filter(section => section !== 'users' || me.role === 'administrator').map(section =>
        make('a', { href: `#${section}`, 'data-section': section }, say(`navigation.${section}`)));
    fill(root,
        make('a', { class: 'skip', href: '#content', on: { click: skip } }, say('skip_to_content')),
        make('header', { class: 'top' },
            make('div', { class: 'inner' },
                make('span', { class: 'brand' }, icon('umbel'), make('span', {}, say('product'))),
                make('nav', { class: 'sections', 'aria-label': say('navigation.label') }, links),
                make('div', { class: 'owner' },
                    make('span', { class: 'name', title: say('signed_in_as', { address: me.address }) }, me.name || me.address),
                    make('button', { type: 'button', class: 'bare help', 'aria-label': say('shortcuts.open'), on: { click: showShortcuts } }, make('kbd', { 'aria-hidden': 'true' }, '?')),
                    button(say('sign_out'), leave, { class: 'link' })))),
        connectionElement(), content, callElement(), noticeElements());
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
    const mayBeShown = hash => hash in VIEWS && (!VIEWS[hash].administrators || owner.me.role === 'administrator');
    const hash = mayBeShown(location.hash) ? location.hash : '#messages';
    view?.stop();
    silence();
    clear();
    view = VIEWS[hash].view(owner);
    fill(content, view.element);
    for (const link of root.querySelectorAll('.sections a')) {
        if (link.dataset.section === VIEWS[hash].section) link.setAttribute('aria-current', 'page');
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
    news.addEventListener('open', () => session.reached(true));
    news.addEventListener('counts', event => {
        countedLast = nextNumber();
        owner.me.counts = JSON.parse(event.data);
        counted(owner.me.counts);
        clearTimeout(freshly);
        freshly = setTimeout(() => view?.refresh({ background: true }), TOGETHER_MILLISECONDS);
    });
    news.addEventListener('signed-out', () => { session.over().catch(() => {}); });
    // Another page of this session listens in our place; we ask anew when somebody looks at us.
    news.addEventListener('superseded', () => news.close());
    news.addEventListener('error', lost);
}

/// The browser opens a broken stream again by itself, but not one that was refused.
function lost() {
    if (news?.readyState !== EventSource.CLOSED) {
        session.reached(false);
        return;
    }
    setTimeout(() => {
        if (owner.me === null || again !== null) return;
        // Whether the session is over shows here, too.
        connection.tryNow().catch(() => {});
    }, AGAIN_MILLISECONDS);
}
