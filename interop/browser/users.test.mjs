// The users, for administrators: added, edited, unlocked, given a PIN, removed; and for nobody else.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { PHONE, assertNoBarriers, focused, follow, signIn, signedIn, suite, visit } from './browser.mjs';
import { DOMAIN, HOSTILE_NAME, until } from './world.mjs';

const here = suite(async world => { world.umbel('user', 'set', `alice@${DOMAIN}`, 'role=administrator'); });

const lineOf = (page, text) => page.getByRole('list', { name: 'Users' }).getByRole('listitem').filter({ hasText: text });
const notices = page => page.getByRole('region', { name: 'Notices' });
const shown = address => JSON.parse(here.world.umbel('user', 'show', address, '--json'));

async function users(settings) {
    const page = await signedIn(here, 'alice', settings);
    await follow(page, 'Users');
    await lineOf(page, `bob@${DOMAIN}`).waitFor();
    return page;
}

test('a user is added with a PIN that is shown once, edited, and removed', { timeout: 600_000 }, async () => {
    const page = await users();
    await assertNoBarriers(page, 'the users');
    await page.getByRole('button', { name: 'Add a user' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a user' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('This is needed.').waitFor();
    await dialog.getByLabel('Address', { exact: true }).fill('erin');
    await dialog.getByLabel('Name').fill('Erin Example');
    await dialog.getByLabel('Extension').fill('101');
    await assertNoBarriers(page, 'adding a user');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText(/This is not accepted/).waitFor();
    await dialog.getByLabel('Extension').fill('104');
    await dialog.getByLabel('Password').fill('erin-tulip-42');
    await dialog.getByRole('button', { name: 'Save' }).click();
    const told = page.getByRole('dialog', { name: 'The PIN of Erin Example' });
    assert.match(await told.getByRole('status').first().textContent(), /^\d{6,}$/);
    await assertNoBarriers(page, 'a PIN that is shown once');
    await told.getByRole('button', { name: 'Close' }).click();
    await lineOf(page, 'erin').getByText('PIN made for the user').waitFor();
    assert.equal(await page.getByText(/^\d{6,}$/).count(), 0);

    await lineOf(page, 'erin').getByRole('button', { name: 'Edit' }).click();
    const edit = page.getByRole('dialog', { name: 'Edit Erin Example' });
    await edit.getByLabel('Name').fill('Erin Other');
    await edit.getByLabel('Switched on').uncheck();
    await edit.getByRole('button', { name: 'Save' }).click();
    await notices(page).getByText('Erin Other is saved.').waitFor();
    await lineOf(page, 'Erin Other').getByText('Switched off').waitFor();
    assert.equal(shown(`erin@${DOMAIN}`).name, 'Erin Other');
    assert.match(await focused(page), /^Edit/);

    await lineOf(page, 'erin').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await lineOf(page, 'erin').getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove for good' }).click();
    await notices(page).getByText('Erin Other is removed.').waitFor();
    await lineOf(page, 'erin').waitFor({ state: 'detached' });
    assert.throws(() => shown(`erin@${DOMAIN}`));
    // Nobody removes himself.
    assert.equal(await lineOf(page, `alice@${DOMAIN}`).getByRole('button', { name: 'Remove' }).count(), 0);
    await page.finish();
});

test('who is locked out is let in again, and a new PIN takes the place of the old one', { timeout: 600_000 }, async () => {
    const guest = await visit(here);
    for (let wrong = 0; wrong < 5; wrong += 1) {
        await signIn(guest, 'bob', 'wrong');
        await until('the refusal', async () => await guest.getByLabel('Password', { exact: true }).inputValue() === '');
    }
    await signIn(guest, 'bob');
    await guest.getByRole('alert').getByText(/wrong/).waitFor();
    const page = await users({ viewport: PHONE });
    const unlock = page.getByRole('button', { name: 'Unlock' });
    assert.equal(await unlock.count(), 1, 'of all users, one is locked out');
    await lineOf(page, `bob@${DOMAIN}`).getByRole('button', { name: 'Unlock' }).click();
    await notices(page).getByText('is let in again.').waitFor();
    await unlock.waitFor({ state: 'detached' });
    await signIn(guest, 'bob');
    await guest.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    await assertNoBarriers(page, 'the users on a narrow screen');
    await lineOf(page, `bob@${DOMAIN}`).getByRole('button', { name: 'New PIN' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make a new PIN' }).click();
    await page.getByRole('dialog').getByRole('status').first().waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    assert.equal(shown(`bob@${DOMAIN}`).pin_state ?? shown(`bob@${DOMAIN}`).pin, 'generated');
    await page.finish();
    await guest.finish();
});

test('users are found by name and address, and names that look like markup do nothing', { timeout: 600_000 }, async () => {
    const page = await users();
    await lineOf(page, HOSTILE_NAME).waitFor();
    await page.getByRole('searchbox').fill('BOB');
    await page.getByText('1 user', { exact: true }).first().waitFor();
    await page.getByRole('searchbox').fill('nobody at all');
    await page.getByText('No user fits').waitFor();
    await page.getByRole('searchbox').fill('mallory');
    await lineOf(page, HOSTILE_NAME).getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('dialog').getByText(HOSTILE_NAME).waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => window.harmed), undefined);
    await page.finish();
});

/// SEC-108
test('who is no administrator sees no users', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'bob');
    assert.equal(await page.getByRole('link', { name: 'Users' }).count(), 0);
    await page.evaluate(() => { location.hash = '#users'; });
    await page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    assert.equal(await page.evaluate(async () => (await fetch('/api/v1/users')).status), 403);
    await page.finish();
});
