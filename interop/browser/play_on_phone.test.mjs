// Play on Phone: from the click on the page to the ringing telephone, and how each call ends.

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { lineOf, opener, signedIn, suite } from './browser.mjs';
import { BOB, until } from './world.mjs';

const here = suite(world => world.leaveMessage('bob', 'alice'));

/// Alice's page, with the question which telephone should ring.
async function asked() {
    const page = await signedIn(here, 'alice');
    await opener(page, BOB).click();
    await lineOf(page, BOB).getByRole('button', { name: 'Play on phone' }).click();
    await question(page).waitFor();
    return page;
}

/// The level of a WAV file of 16-bit samples, of full scale.
function levelOf(file) {
    const samples = new Int16Array(file.buffer.slice(file.byteOffset + 44, file.byteOffset + file.length - (file.length % 2)));
    return Math.sqrt(samples.reduce((sum, sample) => sum + (sample / 32_768) ** 2, 0) / samples.length);
}

const standing = page => page.getByRole('region', { name: 'Call', exact: true });
/// A dialog that was closed is still there for a moment, and not for assistive technology.
const question = page => page.getByRole('dialog');
const callMe = page => question(page).getByRole('button', { name: 'Call me' }).click();

test('the telephone rings, plays the message, and the page tells each step', { timeout: 600_000 }, async () => {
    // Long enough for the page of a busy machine to see each state; the star ends the call.
    const heard = here.world.path('heard.wav');
    const phone = await here.world.registered('alice', '--after', '8s', '--keys', 'w10,*', '--record', heard);
    const page = await asked();
    const told = [];
    await page.exposeFunction('note', text => { told.push(text); });
    await page.evaluate(() => {
        const bar = document.querySelector('.call');
        new MutationObserver(() => window.note(bar.querySelector('.standing')?.textContent ?? ''))
            .observe(bar, { childList: true, characterData: true, subtree: true });
    });
    await callMe(page);
    const ringing = await phone.event('ringing');
    assert.equal(ringing.play_on_phone, true);
    await standing(page).getByText('Your phone is ringing. Pick up to listen.').waitFor();
    await phone.event('answered');
    await standing(page).getByText('Connected. Your message is playing on the phone.').waitFor();
    await phone.event('prompt-started');
    await standing(page).getByText('The call has ended.').waitFor();
    await phone.event('ended');
    await here.world.end(phone);
    assert.ok(levelOf(readFileSync(heard)) > 0.005, 'nothing was heard on the telephone');
    const steps = [...new Set(told.filter(text => text !== ''))];
    assert.deepEqual(steps.slice(-3), [
        'Your phone is ringing. Pick up to listen.',
        'Connected. Your message is playing on the phone.',
        'The call has ended.',
    ]);
    await page.getByRole('button', { name: 'Close' }).click();
    await standing(page).waitFor({ state: 'hidden' });
    await page.finish();
});

test('hanging up on the page ends the ringing', { timeout: 600_000 }, async () => {
    const phone = await here.world.registered('alice', '--never');
    const page = await asked();
    await callMe(page);
    await phone.event('ringing');
    await page.getByRole('button', { name: 'Hang up' }).click();
    await standing(page).getByText('You ended the call.').waitFor();
    await phone.event('ended');
    await page.finish();
});

test('a page that is loaded anew still shows the call', { timeout: 600_000 }, async () => {
    const phone = await here.world.registered('alice', '--never');
    const page = await asked();
    await callMe(page);
    const ringing = standing(page).getByText('Your phone is ringing. Pick up to listen.');
    await ringing.waitFor();
    await phone.event('ringing');
    await page.reload();
    await ringing.waitFor();
    await page.getByRole('button', { name: 'Hang up' }).click();
    await standing(page).getByText('You ended the call.').waitFor();
    await page.finish();
});

test('a busy line is told as busy', { timeout: 600_000 }, async () => {
    const phone = await here.world.registered('alice', '--busy');
    const page = await asked();
    // By number: the same request within a second, as a test beside this one makes it, would be told of the other's call.
    await question(page).getByLabel('Number', { exact: true }).fill('101');
    await callMe(page);
    await standing(page).getByText('The line is busy. Try again in a moment.').waitFor();
    await standing(page).getByText('486').waitFor();
    await page.finish();
});

test('a telephone that is not there is told', { timeout: 600_000 }, async () => {
    const page = await asked();
    await question(page).getByLabel('Number', { exact: true }).fill('alice@example.test');
    await callMe(page);
    await standing(page).getByText(/cannot be reached|Nobody answered/).waitFor();
    await page.finish();
});

test('a second call is refused with words, and so is a number that may not be dialled', { timeout: 600_000 }, async () => {
    const phone = await here.world.registered('alice', '--never');
    const page = await asked();
    await callMe(page);
    await phone.event('ringing');
    await lineOf(page, BOB).getByRole('button', { name: 'Play on phone' }).click();
    await question(page).getByLabel('Number', { exact: true }).fill('102');
    await callMe(page);
    await question(page).getByRole('alert').getByText('Another call for your mailbox is under way.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Hang up' }).click();
    await standing(page).getByText('You ended the call.').waitFor();

    await lineOf(page, BOB).getByRole('button', { name: 'Play on phone' }).click();
    const number = question(page).getByLabel('Number', { exact: true });
    await number.fill('+15550100');
    assert.ok(await question(page).getByLabel('Another number').isChecked());
    await callMe(page);
    await question(page).getByRole('alert').getByText('Calls to this number are not allowed here.').waitFor();
    await number.fill('not a number');
    await callMe(page);
    await question(page).getByRole('alert').getByText('This is no telephone number that can be called.').waitFor();
    await page.finish();
});

test('a colleague’s telephone can be rung by its extension', { timeout: 600_000 }, async () => {
    const phone = await here.world.registered('bob', '--after', '1s');
    const page = await asked();
    await question(page).getByLabel('Number', { exact: true }).fill('102');
    await callMe(page);
    await phone.event('ringing');
    await standing(page).getByText('Connected. Your message is playing on the phone.').waitFor();
    await page.getByRole('button', { name: 'Hang up' }).click();
    await standing(page).getByText('You ended the call.').waitFor();
    await until('the telephone to be free', () => phone.events.some(event => event.event === 'ended'));
    await page.finish();
});
