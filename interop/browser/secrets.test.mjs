// PIN, password and language on the settings page, and what becomes of open pages.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { assertNoBarriers, focused, follow, signIn, signedIn, suite, visit } from './browser.mjs';
import { DOMAIN, passwordOf, until } from './world.mjs';

const here = suite();

const settings = async (user, more) => {
    const page = await signedIn(here, user, more);
    await follow(page, 'Settings');
    return page;
};

test('a new password counts at once, and the page goes on where it is', { timeout: 600_000 }, async () => {
    const page = await settings('alice');
    const other = await signedIn(here, 'alice');
    const card = page.getByRole('form', { name: 'Password' });
    await card.getByLabel('Present password').fill('wrong');
    await card.getByLabel('New password', { exact: true }).fill('short');
    await card.getByLabel('New password, again').fill('shorter');
    await card.getByRole('button', { name: 'Change the password' }).click();
    await card.getByText('At least 8 characters, please.').waitFor();
    await card.getByText('The two are not the same.').waitFor();
    await card.getByLabel('New password', { exact: true }).fill('seven-tulips-77');
    await card.getByLabel('New password, again').fill('seven-tulips-77');
    await card.getByRole('button', { name: 'Change the password' }).click();
    await card.getByText('This is not your password.').waitFor();
    assert.equal(await card.getByLabel('Present password').evaluate(field => field === document.activeElement), true);
    await assertNoBarriers(page, 'a wrong password');
    await card.getByLabel('Present password').fill(passwordOf('alice'));
    await card.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('region', { name: 'Notices' }).getByText('Your password is changed.').waitFor();
    assert.equal(await card.getByLabel('Present password').inputValue(), '');
    // Other pages are asked for the new one; this one goes on.
    await other.getByText('You have been signed out.').waitFor();
    await page.getByRole('link', { name: 'Greetings' }).click();
    await page.getByRole('article').first().waitFor();
    await signIn(other, 'alice');
    await other.getByRole('alert').getByText('The address or the password is wrong.').waitFor();
    await signIn(other, 'alice', 'seven-tulips-77');
    await other.getByRole('dialog').waitFor({ state: 'detached' });
    await page.finish();
    await other.finish();
});

test('a PIN that was made is to be changed, and the page says so until it is', { timeout: 600_000 }, async () => {
    const made = here.world.umbel('user', 'add', `gina@${DOMAIN}`, '--password-file', here.world.file('gina.password', passwordOf('gina')), '--json');
    const [, pin] = /"\w*pin": ?"(\d+)"/.exec(made);
    const page = await signedIn(here, 'gina');
    await page.getByText('Your PIN was made for you. Choose one of your own.').waitFor();
    await assertNoBarriers(page, 'a PIN that was made');
    await page.getByRole('link', { name: 'Change the PIN' }).click();
    const card = page.getByRole('form', { name: 'PIN' });
    await card.getByLabel('Present PIN').fill(pin);
    await card.getByLabel('New PIN', { exact: true }).fill('123456');
    await card.getByLabel('New PIN, again').fill('123456');
    await card.getByRole('button', { name: 'Change the PIN' }).click();
    await card.getByText('This PIN is too simple').waitFor();
    await card.getByLabel('New PIN', { exact: true }).fill('48-2917');
    await card.getByRole('button', { name: 'Change the PIN' }).click();
    await card.getByText('A PIN has digits only.').waitFor();
    for (const label of ['New PIN', 'New PIN, again']) await card.getByLabel(label, { exact: true }).fill('482917');
    await card.getByRole('button', { name: 'Change the PIN' }).click();
    // The session ended with the old PIN.
    await page.getByText('You have been signed out.').waitFor();
    await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill(passwordOf('gina'));
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await page.getByRole('region', { name: 'Notices' }).getByText('Your PIN is changed.').waitFor();
    await follow(page, 'Messages');
    await page.getByText('No messages').waitFor();
    assert.equal(await page.getByText('Your PIN was made for you.').count(), 0);
    await page.finish();
});

test('what was clicked when the session was over is done once the same person is back', { timeout: 600_000 }, async () => {
    const page = await settings('mallory');
    const number = page.getByLabel('Number that we offer to call');
    await number.fill('102');
    // As after half an hour: the server knows the session no more.
    await page.context().clearCookies();
    await page.getByRole('form', { name: 'Play on phone' }).getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog', { name: 'Your voice mail' });
    await dialog.getByText('You have been signed out.').waitFor();
    await assertNoBarriers(page, 'signing in again');
    assert.equal(await dialog.getByLabel('Address').inputValue(), `mallory@${DOMAIN}`);
    await page.keyboard.press('Escape');
    await dialog.getByLabel('Password', { exact: true }).fill(passwordOf('mallory'));
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'Notices' }).getByText('Your settings are saved.').waitFor();
    assert.equal(await number.inputValue(), '102');
    await page.reload();
    await number.waitFor();
    assert.equal(await number.inputValue(), '102');
    // Somebody else begins at the beginning, and sees nothing of it.
    await page.context().clearCookies();
    await page.getByRole('link', { name: 'Greetings' }).click();
    await dialog.waitFor();
    await page.getByRole('button', { name: 'Sign in as somebody else' }).click();
    assert.equal(await page.getByLabel('Address').inputValue(), '');
    assert.equal(await page.locator('header, .card h2').count(), 0);
    await page.finish();
});

/// SEC-98: signing in anew ends the session that the first tab began, and with it its token.
test('a tab goes on by itself when somebody signs in anew in another one, and signs out for both', { timeout: 600_000 }, async () => {
    const page = await settings('bob');
    const number = page.getByLabel('Number that we offer to call');
    const offered = user => JSON.parse(here.world.umbel('user', 'show', `${user}@${DOMAIN}`, '--json')).play_on_phone_dial_string;
    const ofMallory = offered('mallory');
    await number.fill('103');
    const signInBeside = user => page.evaluate(async ([address, password]) => {
        const body = JSON.stringify({ address, password });
        const answer = await fetch('/api/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
        return answer.status;
    }, [user, passwordOf(user)]);
    assert.equal(await signInBeside('mallory'), 201);
    await page.getByRole('form', { name: 'Play on phone' }).getByRole('button', { name: 'Save' }).click();
    // Somebody else is in: nothing is done in their name.
    const dialog = page.getByRole('dialog', { name: 'Your voice mail' });
    await dialog.getByText('You have been signed out.').waitFor();
    // The same person signed in in another tab, and comes back to this one.
    assert.equal(await signInBeside('bob'), 201);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('region', { name: 'Notices' }).getByText('Your settings are saved.').waitFor();
    // Once more, and nobody is asked anything.
    assert.equal(await signInBeside('bob'), 201);
    await number.fill('104');
    const saved = page.waitForResponse(answer => answer.request().method() === 'PATCH' && answer.ok());
    await page.getByRole('form', { name: 'Play on phone' }).getByRole('button', { name: 'Save' }).click();
    await saved;
    assert.equal(await dialog.count(), 0);
    assert.deepEqual([offered('bob'), offered('mallory')], ['104', ofMallory]);
    assert.equal(await signInBeside('bob'), 201);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Your voice mail' }).waitFor();
    assert.deepEqual(await page.context().cookies(), []);
    await page.finish();
});

test('the language is the browser’s, or the one that is chosen', { timeout: 600_000 }, async () => {
    const page = await visit(here, { locale: 'de-DE' });
    await page.getByRole('heading', { name: 'Ihre Mailbox' }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
    await page.getByLabel('Adresse').fill('mallory');
    await page.getByLabel('Passwort', { exact: true }).fill(passwordOf('mallory'));
    await page.getByRole('button', { name: 'Anmelden' }).click();
    await page.getByRole('heading', { name: 'Nachrichten', level: 1 }).waitFor();
    await follow(page, 'Einstellungen');
    await assertNoBarriers(page, 'settings in German');
    await page.getByLabel('Sprache dieser Seite').selectOption('English');
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
    await page.reload();
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await page.getByLabel('Language of this page').selectOption('');
    await page.getByRole('heading', { name: 'Einstellungen', level: 1 }).waitFor();
    await page.finish();
});

test('a time zone that nobody knows is refused beside its field', { timeout: 600_000 }, async () => {
    const page = await settings('mallory');
    const card = page.getByRole('form', { name: 'Language and time' });
    const zone = card.getByLabel('Time zone');
    await zone.fill('Mars/Base');
    await card.getByRole('button', { name: 'Save' }).click();
    await card.getByText('This is not known here.').waitFor();
    assert.equal(await zone.evaluate(field => field === document.activeElement), true);
    await zone.fill('Asia/Tokyo');
    await card.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('region', { name: 'Notices' }).getByText('Your settings are saved.').waitFor();
    await until('the zone to be kept', () => JSON.parse(here.world.umbel('user', 'show', `mallory@${DOMAIN}`, '--json')).time_zone === 'Asia/Tokyo');
    await page.finish();
});

test('a server that cannot be reached is told, and so is that it is back', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'mallory');
    await page.getByText('No messages').waitFor();
    await page.context().setOffline(true);
    await page.getByRole('link', { name: 'Greetings' }).click();
    await page.getByText('This could not be loaded.').waitFor();
    await page.getByText('The connection is lost. Trying again…').first().waitFor();
    await page.context().setOffline(false);
    await page.getByText('The connection is lost.').first().waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('article').first().waitFor();
    assert.equal(await focused(page), 'Greetings');
    // The browser itself says that it had no connection.
    await page.context().close();
});
