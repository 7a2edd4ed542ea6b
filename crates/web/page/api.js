// The server's API, and the session that speaks to it. The cookie is the browser's; scripts never see it.

const ROOT = '/api/v1/';

/// Set by whoever wants to know that the session is over.
export const session = { csrf: null, ended: () => {} };

/// The server's refusal, with its stable code; `offline` where there was no answer.
export class Refused extends Error {
    constructor(status, code) {
        super(code);
        this.status = status;
        this.code = code;
    }
}

/// Asks, and gives what the answer says. `body` is JSON, or a file. What nobody clicked for is asked for in the
/// `background`: it does not keep the session alive.
export async function ask(method, path, body, { background = false } = {}) {
    const headers = background ? { 'X-Umbel-Background': 'yes' } : {};
    if (method !== 'GET' && session.csrf !== null) headers['X-CSRF-Token'] = session.csrf;
    if (body !== undefined) headers['Content-Type'] = body instanceof Blob ? 'audio/wav' : 'application/json';
    const sent = body === undefined || body instanceof Blob ? body : JSON.stringify(body);
    let answer;
    try {
        answer = await fetch(ROOT + path, { method, headers, body: sent, cache: 'no-store', redirect: 'error' });
    } catch {
        throw new Refused(0, 'offline');
    }
    const said = await answer.json().catch(() => null);
    if (answer.ok) return said;
    const code = said?.error?.code ?? 'otherwise';
    if (answer.status === 401 && path !== 'session') session.ended();
    throw new Refused(answer.status, code);
}

/// Whether there is a session from before this page was loaded.
export async function resume() {
    const found = await ask('GET', 'session');
    session.csrf = found?.csrf ?? null;
    return session.csrf !== null;
}

export async function signIn(address, password) {
    const begun = await ask('POST', 'session', { address, password });
    session.csrf = begun.csrf;
}

export async function signOut() {
    try {
        await ask('DELETE', 'session');
    } finally {
        session.csrf = null;
    }
}

/// Where the sound of a message is.
export const messageAudio = id => `${ROOT}messages/${encodeURIComponent(id)}/audio`;
export const greetingAudio = kind => `${ROOT}greetings/${encodeURIComponent(kind)}`;
export const phoneCallEvents = id => `${ROOT}play-on-phone/${encodeURIComponent(id)}/events`;
export const mailboxEvents = `${ROOT}events`;
