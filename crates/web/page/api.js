// The server's API, and the session that speaks to it. The cookie is the browser's; scripts never see it.

const ROOT = '/api/v1/';
/// Requests of one click that are under way at once, where it is about many things.
const AT_ONCE = 4;

/// Set by the page: `over` is told that the session has ended, and gives a promise that is kept when the same person has
/// signed in again; `reached` is told whether the server answers.
export const session = { csrf: null, over: async () => { throw new Refused(401, 'session-over'); }, reached: () => {} };

/// The server's refusal, with its stable code and what it says; `offline` where there was no answer.
export class Refused extends Error {
    constructor(status, code, told = '') {
        super(code);
        this.status = status;
        this.code = code;
        this.told = told;
    }
}

/// Asks, and gives what the answer says. `body` is JSON, or a file. What nobody clicked for is asked for in the
/// `background`: it does not keep the session alive. Where the session has ended, or is another since somebody signed in
/// in another tab, what somebody clicked for waits until the same person is signed in here, and is done then.
export async function ask(method, path, body, { background = false } = {}) {
    const shown = session.csrf;
    try {
        return await askOnce(method, path, body, background);
    } catch (error) {
        if (path === 'session' || !(await mayBeAskedAgain(error, shown))) throw error;
        // Whoever was refused at the same moment may have a session for us already.
        if (session.csrf === shown) {
            const again = session.over();
            if (background) {
                again.catch(() => {});
                throw error;
            }
            await again;
        }
        return askOnce(method, path, body, background);
    }
}

/// Whether it was refused for want of a session, or for a token that is not the token of the browser's session now
/// (SEC-98): where it is, no other would help.
async function mayBeAskedAgain(error, shown) {
    if (error.status === 401) return true;
    return error.code === 'cross-site' && (await ask('GET', 'session')).csrf !== shown;
}

/// Goes on in the session that another tab has begun, where it is this person's. Whether it is.
export async function takeUp(address) {
    const found = await ask('GET', 'session');
    if (found.address !== address) return false;
    session.csrf = found.csrf;
    return true;
}

async function askOnce(method, path, body, background) {
    const headers = background ? { 'X-Umbel-Background': 'yes' } : {};
    if (method !== 'GET' && session.csrf !== null) headers['X-CSRF-Token'] = session.csrf;
    if (body !== undefined) headers['Content-Type'] = body instanceof Blob ? 'audio/wav' : 'application/json';
    const sent = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
    let answer;
    try {
        answer = await fetch(ROOT + path, { method, headers, body: sent, cache: 'no-store', redirect: 'error' });
    } catch {
        session.reached(false);
        throw new Refused(0, 'offline');
    }
    session.reached(true);
    const said = await answer.json().catch(() => null);
    if (answer.ok) return said;
    throw new Refused(answer.status, said?.error?.code ?? 'otherwise', said?.error?.message);
}

/// Does the same to many things, a few at once. Gives those for which it failed, each with its error.
export async function forAll(things, action) {
    const left = [...things];
    const failed = [];
    const work = async () => {
        for (let thing = left.shift(); thing !== undefined; thing = left.shift()) {
            try {
                await action(thing);
            } catch (error) {
                failed.push({ thing, error });
            }
        }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return failed;
}

/// Whether there is a session from before this page was loaded.
export async function resume() {
    const found = await ask('GET', 'session');
    session.csrf = found?.csrf ?? null;
    return session.csrf !== null;
}

/// Signs in, and gives the address of who did.
export async function signIn(address, password) {
    const begun = await ask('POST', 'session', { address, password });
    session.csrf = begun.csrf;
    return begun.address;
}

/// Signs out of the browser's session, which another tab may have begun since ours.
export async function signOut() {
    try {
        if (await resume()) await ask('DELETE', 'session');
    } finally {
        session.csrf = null;
    }
}

/// Where the sound of a message is.
export const messageAudio = id => `${ROOT}messages/${encodeURIComponent(id)}/audio`;
export const greetingAudio = kind => `${ROOT}greetings/${encodeURIComponent(kind)}`;
export const phoneCallEvents = id => `${ROOT}play-on-phone/${encodeURIComponent(id)}/events`;
export const mailboxEvents = `${ROOT}events`;
