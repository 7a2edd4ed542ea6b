// Signing in and out, as people do it.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { follow, signedIn, signIn, suite, visit } from './browser.mjs';
import { DOMAIN, World, until } from './world.mjs';

const here = suite();

test('a wrong password is told in words, and the right one opens the mailbox', { timeout: 600_000 }, async () => {
    const page = await visit(here);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('Type your address and your password.').waitFor();
    await signIn(page, 'alice', 'wrong');
    await page.getByRole('alert').getByText('The address or the password is wrong.').waitFor();
    assert.equal(await page.getByLabel('Password').inputValue(), '');
    // The domain may be left out.
    await page.getByLabel('Address').fill('alice');
    await page.getByLabel('Password').fill('alice-tulip-42');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    await page.getByText('No messages').waitFor();
    await page.finish();
});

test('the cookie is out of reach of scripts, and loading the page anew keeps the session', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    assert.equal(await page.evaluate(() => document.cookie), '');
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite], ['umbel-session', true, 'Strict']);
    await page.reload();
    await page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    await page.finish();
});

test('signing out ends the session on the server too', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    const cookies = await page.context().cookies();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Your voice mail' }).waitFor();
    assert.deepEqual(await page.context().cookies(), []);
    await page.context().addCookies(cookies);
    await page.reload();
    await page.getByRole('heading', { name: 'Your voice mail' }).waitFor();
    await page.finish();
});

test('a new password ends the session of an open page', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'bob');
    here.world.umbel('user', 'import', here.world.file('again.csv', `address,password\nbob@${DOMAIN},another-tulip-43\n`));
    await page.getByText('You have been signed out.').waitFor();
    await signIn(page, 'bob', 'another-tulip-43');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('No messages').waitFor();
    await page.finish();
});

test('the page is sent with a policy that lets no foreign script in', { timeout: 600_000 }, async () => {
    const answer = await fetch(here.world.url);
    const policy = answer.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /require-trusted-types-for 'script'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    const again = await fetch(here.world.url, { headers: { 'If-None-Match': answer.headers.get('etag') } });
    assert.equal(again.status, 304);
    // The policy is at work in the browser: markup cannot be made from text, and scripts in it do not run.
    const page = await visit(here);
    const refused = await page.evaluate(() => {
        try {
            document.createElement('p').innerHTML = '<b>x</b>';
            return false;
        } catch {
            return true;
        }
    });
    assert.ok(refused);
    await page.context().close();
});

test('the server stops while pages listen', { timeout: 600_000 }, async current => {
    const other = await World.start();
    current.after(() => other.stop());
    const page = await signedIn({ ...here, world: other }, 'alice');
    await page.getByText('No messages').waitFor();
    // One more, by the same session, whose end we see: it is told, and not broken off when the server's patience is over.
    const [{ name, value }] = await page.context().cookies();
    const news = await fetch(`${other.url}/api/v1/events`, { headers: { Cookie: `${name}=${value}` } });
    const reader = news.body.getReader();
    assert.equal((await reader.read()).done, false, 'the stream has begun');
    const stopped = other.stop();
    while (!(await reader.read()).done);
    await stopped;
});

test('under TLS the cookie is secure and the host’s own', { timeout: 600_000 }, async current => {
    const other = await World.start({ tls: true });
    current.after(() => other.stop());
    const page = await signedIn({ ...here, world: other }, 'alice');
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.name, cookie.secure, cookie.httpOnly, cookie.sameSite], ['__Host-umbel-session', true, true, 'Strict']);
    // Changes are taken, and the stream of news is open.
    await follow(page, 'Settings');
    await page.getByLabel('Tell me about calls that left no message').uncheck();
    await page.getByRole('form', { name: 'Play on phone' }).getByRole('button', { name: 'Save' }).click();
    await page.getByText('Your settings are saved.').first().waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Your voice mail' }).waitFor();
    assert.deepEqual(await page.context().cookies(), []);
    await page.finish();
});
