// Our program as users run it: a server of its own for each suite, and telephones that call it.

import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { callAs } from './stranger.mjs';

export const DOMAIN = 'example.test';
/// Longer than anything here lasts, four times as long on a machine that is busy.
export const PATIENCE = 90_000;

/// The program; an environment variable names another build of it than the one users build.
const BINARY = process.env.UMBEL_BINARY ?? fileURLToPath(new URL('../../target/release/umbel', import.meta.url));
export const SPEECH = fileURLToPath(new URL('../speech/', import.meta.url));

/// Names that would do harm where a page took texts for markup.
export const HOSTILE_NAME = '<img src=x onerror="window.harmed=1">';
export const HOSTILE_SUBJECT = '"><script>window.harmed=2</script><svg onload=window.harmed=3>';

/// How the page names them as callers: as the directory does, since their telephones tell no name.
export const ALICE = 'Alice';
export const BOB = 'Bob';

/// Ports below those that systems hand out by themselves, where any connection might take one before the server does, and
/// above those of the other suites (`interop/src/ports.rs`), which run beside this one: for connections, and for sound.
const PORTS = [32_000, 32_399];
const MEDIA_PORTS = [32_400, 32_767];

/// Another program may take a port before the server does: how often other ports are tried.
const STARTS_MAX = 3;

/// Users and their names; extensions count from 101.
const USERS = { alice: ALICE, bob: BOB, mallory: HOSTILE_NAME };
export const passwordOf = user => `${user}-tulip-42`;

/// Nobody is left behind by a suite that is broken off.
const everyone = new Set();
process.once('exit', () => { for (const child of everyone) child.kill('SIGKILL'); });

/// A running server with users, nothing in its mailboxes, and telephones to call it with.
export class World {
    #folder = mkdtempSync(join(tmpdir(), 'umbel-browser-'));
    #running = new Set();
    #server = null;

    static async start(settings = {}) {
        const world = new World();
        try {
            await world.#start(settings);
        } catch (error) {
            // Node does not end while a program that it started runs.
            await world.stop();
            throw error;
        }
        return world;
    }

    async #start(settings) {
        for (let start = 1; ; start += 1) {
            try {
                await this.#startOnce(settings);
                return;
            } catch (error) {
                if (start === STARTS_MAX || !/in use/.test(error.message)) throw error;
            }
        }
    }

    async #startOnce({ tls = false }) {
        const [http, admin, serverTcp, serverTls, umTcp, umTls] = await freePorts(6);
        this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${http}`;
        this.server = `tls:127.0.0.1:${serverTls}`;
        this.voiceMail = { host: '127.0.0.1', port: umTcp };
        this.config = this.file('umbel.toml', `domain = "${DOMAIN}"
[tls]
[http]
listen = "127.0.0.1:${http}"
admin-listen = "127.0.0.1:${admin}"
tls = ${tls}
[server]
listen = ["tcp:127.0.0.1:${serverTcp}", "tls:127.0.0.1:${serverTls}"]
ring-time = "20s"
[um]
listen = ["tcp:127.0.0.1:${umTcp}", "tls:127.0.0.1:${umTls}"]
rtp-ports = "${MEDIA_PORTS.join('-')}"
`);
        const quoted = text => `"${text.replaceAll('"', '""')}"`;
        const rows = Object.entries(USERS).map(([user, name], index) =>
            `${user}@${DOMAIN},${101 + index},${quoted(name)},${493_817 + index},${passwordOf(user)},${SPEECH}greeting.wav`);
        this.umbel('user', 'import', this.file('users.csv', ['address,extension,name,pin,password,greeting', ...rows].join('\n')));
        for (const user of Object.keys(USERS)) this.file(`${user}.password`, `${passwordOf(user)}\n`);
        this.#server = this.#spawn(['serve', '--config', this.config]);
        await until('the server to be ready', async () => {
            if (hasEnded(this.#server)) throw new Error(`the server ended: ${this.#server.said}`);
            const answer = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => null);
            return answer?.ok;
        });
    }

    /// A file in the suite's own folder.
    path(name) {
        return join(this.#folder, name);
    }

    /// Writes one.
    file(name, text) {
        const path = this.path(name);
        writeFileSync(path, text, { mode: 0o600 });
        return path;
    }

    /// Runs a command of administration to its end, and gives what it printed.
    umbel(...words) {
        const done = spawnSync(BINARY, [...words, '--config', this.config], { encoding: 'utf8', timeout: PATIENCE });
        if (done.status !== 0) throw new Error(`umbel ${words.join(' ')}: ${done.error ?? ''}${done.stderr}${done.stdout}`);
        return done.stdout;
    }

    /// A telephone of `user`, doing `words`; its events are collected as they come.
    phone(user, ...words) {
        const child = this.#spawn(['phone', words[0], '--as', `${user}@${DOMAIN}`, '--password-file', join(this.#folder, `${user}.password`),
            '--server', this.server, '--authority', join(this.#folder, 'data/authority.pem'), '--json', ...words.slice(1)]);
        child.events = [];
        child.isOver = false;
        // Its end may be known before the last that it told.
        createInterface({ input: child.stdout }).on('line', line => child.events.push(JSON.parse(line))).on('close', () => { child.isOver = true; });
        child.event = (name, count = 1) => until(`${user}'s telephone to tell ${name}`, () => {
            const told = child.events.filter(event => event.event === name)[count - 1];
            if (told === undefined && child.isOver) throw new Error(`${user}'s telephone ended: ${child.said} ${JSON.stringify(child.events)}`);
            return told;
        });
        return child;
    }

    /// A telephone that is registered.
    async registered(user, ...words) {
        const phone = this.phone(user, 'register', ...words);
        await phone.event('registered');
        return phone;
    }

    /// `caller` calls `callee`, whose calls go to voice mail, and leaves what is in the file, so many times over.
    async leaveMessage(caller, callee, { times = 1, words = [] } = {}) {
        this.umbel('user', 'set', `${callee}@${DOMAIN}`, 'forward-immediate=voicemail');
        const before = this.messages(callee).length;
        const phone = this.phone(caller, 'call', `${callee}@${DOMAIN}`, '--play', this.repeated('message.wav', times), '--play-after', '2s', ...words);
        await ended(phone);
        if (phone.exitCode !== 0) throw new Error(`${caller}'s call failed: ${phone.said} ${JSON.stringify(phone.events)}`);
        await until('the message to be there', () => this.messages(callee).length > before);
        this.umbel('user', 'set', `${callee}@${DOMAIN}`, 'forward-immediate=');
    }

    /// Somebody whom nobody knows leaves a noise, under a name of its own choice.
    async leaveNoise(callee, name, subject) {
        const before = this.messages(callee).length;
        await callAs(this.voiceMail, 101 + Object.keys(USERS).indexOf(callee), name, subject);
        await until('the noise to be there', () => this.messages(callee).length > before);
    }

    /// What is in a mailbox, as the commands see it.
    messages(user) {
        const lines = this.umbel('message', 'list', `${user}@${DOMAIN}`, '--json').trim().split('\n');
        return lines.filter(line => line !== '').map(line => JSON.parse(line));
    }

    /// Brings back what was deleted: a test that failed in the middle is no reason for the next one to.
    restoreAll() {
        for (const user of Object.keys(USERS)) {
            for (const { id, state } of this.messages(user)) if (state === 'deleted') this.umbel('message', 'restore', id);
        }
    }

    /// How much sound is in the store, in octets, with what is being recorded just now.
    recorded() {
        const files = readdirSync(this.path('data/audio'), { recursive: true, withFileTypes: true });
        // The server may move or remove one while we look.
        const lengthOf = file => statSync(join(file.parentPath ?? file.path, file.name), { throwIfNoEntry: false })?.size ?? 0;
        return files.filter(file => file.isFile()).reduce((sum, file) => sum + lengthOf(file), 0);
    }

    /// Sound of the suite's speech that goes on for long: the file, so often over.
    repeated(speech, times) {
        const file = readFileSync(SPEECH + speech);
        const [head, sound] = [Buffer.from(file.subarray(0, 44)), file.subarray(44)];
        head.writeUInt32LE(36 + sound.length * times, 4);
        head.writeUInt32LE(sound.length * times, 40);
        const path = this.path(`${times}-times-${speech}`);
        writeFileSync(path, Buffer.concat([head, ...Array(times).fill(sound)]));
        return path;
    }

    /// Ends a telephone.
    async end(phone) {
        phone.kill('SIGINT');
        await ended(phone);
    }

    #spawn(words) {
        const child = spawn(BINARY, words, { stdio: ['ignore', 'pipe', 'pipe'] });
        child.said = '';
        child.stderr.on('data', text => { child.said = (child.said + text).slice(-4_000); });
        if (words[0] === 'serve') child.stdout.resume();
        this.#running.add(child);
        everyone.add(child);
        child.on('exit', () => { this.#running.delete(child); everyone.delete(child); });
        return child;
    }

    /// Ends all telephones that a test left behind.
    async endPhones() {
        for (const child of [...this.#running].filter(each => each !== this.#server)) await this.end(child);
    }

    async stop() {
        try {
            await this.endPhones();
        } finally {
            if (this.#server !== null && !hasEnded(this.#server)) {
                this.#server.kill('SIGTERM');
                await ended(this.#server);
            }
            rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
        }
    }
}

/// Awaits a condition, and gives its value.
export async function until(what, condition, patience = PATIENCE) {
    const deadline = Date.now() + patience;
    for (;;) {
        const value = await condition();
        if (value) return value;
        if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
        await new Promise(resume => setTimeout(resume, 50));
    }
}

/// Awaits the end of a program; one that does not end is ended, and told of.
export async function ended(child) {
    if (hasEnded(child)) return;
    try {
        await once(child, 'exit', { signal: AbortSignal.timeout(PATIENCE) });
    } catch {
        child.kill('SIGKILL');
        throw new Error(`${child.spawnargs.slice(1, 3).join(' ')} does not end: ${child.said}`);
    }
}

const hasEnded = child => child.exitCode !== null || child.signalCode !== null;

/// Ports that nobody uses.
async function freePorts(count) {
    const [first, last] = PORTS;
    const ports = [];
    for (let turn = 0, port = first + randomInt(last - first); ports.length < count; turn += 1, port += 1) {
        if (turn > last - first) throw new Error(`no ${count} free ports between ${first} and ${last}`);
        if (port > last) port = first;
        if (await isFree(port)) ports.push(port);
    }
    return ports;
}

async function isFree(port) {
    const listener = createServer();
    try {
        await once(listener.listen(port, '127.0.0.1'), 'listening');
    } catch {
        return false;
    }
    await new Promise(done => listener.close(done));
    return true;
}
