// Greetings and settings.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { follow, signedIn, suite } from './browser.mjs';
import { DOMAIN, SPEECH, until } from './world.mjs';

const here = suite();

/// Two seconds of wide sound, eight of narrow.
const ENOUGH = 64_000;

const card = (page, name) => page.getByRole('article').filter({ hasText: name });

test('a greeting is heard, uploaded, chosen and removed', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await follow(page, 'Greetings');
    const everyday = card(page, 'Everyday greeting');
    await everyday.getByText('In use').waitFor();
    await everyday.getByRole('button', { name: 'Play' }).click();
    await until('the sound to go on', () => everyday.locator('audio').evaluate(audio => audio.currentTime > 0.2));

    const away = card(page, 'Out-of-office greeting');
    await away.getByText('Not recorded').waitFor();
    await away.getByLabel('Upload a WAV file for “Out-of-office greeting”').setInputFiles(`${SPEECH}other.wav`);
    await away.getByText('Recorded Today').waitFor();
    // Not `check`, which looks at the button again: the page makes all of them anew once the choice is kept.
    await page.getByRole('radio', { name: 'Out-of-office greeting' }).click();
    await away.getByText('In use').waitFor();
    const shown = JSON.parse(here.world.umbel('mailbox', 'show', `alice@${DOMAIN}`, '--json'));
    assert.match(JSON.stringify(shown), /out-of-office/);

    await away.getByRole('button', { name: 'Remove' }).click();
    await away.getByText('Not recorded').waitFor();
    await page.getByRole('radio', { name: 'Everyday greeting' }).click();
    await everyday.getByText('In use').waitFor();
    await page.finish();
});

test('a greeting is recorded on the telephone that rings', { timeout: 600_000 }, async () => {
    // The 2 makes a new recording: keys may be pressed before they are asked for. The telephone speaks on until enough
    // is recorded, whenever that is; hanging up keeps it.
    const phone = await here.world.registered('bob', '--after', '1s', '--keys', 'w1,2', '--play', here.world.repeated('message.wav', 30));
    const page = await signedIn(here, 'bob');
    await follow(page, 'Greetings');
    const away = card(page, 'Out-of-office greeting');
    await away.getByText('Not recorded').waitFor();
    await away.getByRole('button', { name: 'Record by phone' }).click();
    await page.getByRole('button', { name: 'Call me' }).click();
    await page.getByText('Connected. Follow the voice on the phone to record.').waitFor();
    const before = here.world.recorded();
    await until('some seconds to be recorded', () => here.world.recorded() > before + ENOUGH);
    await here.world.end(phone);
    await page.getByText('The call has ended.').waitFor();
    await away.getByText('Recorded Today').waitFor();
    await away.getByRole('button', { name: 'Play' }).click();
    await until('the sound to go on', () => away.locator('audio').evaluate(audio => audio.currentTime > 0.2));
    await page.finish();
});

test('what is no sound is refused, and the old greeting stays', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await follow(page, 'Greetings');
    const everyday = card(page, 'Everyday greeting');
    const before = await everyday.getByText('Recorded').textContent();
    const field = everyday.getByLabel('Upload a WAV file for “Everyday greeting”');
    await field.setInputFiles({ name: 'noise.wav', mimeType: 'audio/wav', buffer: Buffer.from('this is no sound') });
    await page.getByRole('region', { name: 'Notices' }).getByText(/no WAV file/).waitFor();
    assert.equal(await everyday.getByText('Recorded').textContent(), before);
    await page.finish();
});

test('the number to call and notices of missed calls are settings that are kept', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await follow(page, 'Settings');
    const card = page.getByRole('form', { name: 'Play on phone' });
    await page.getByText(`alice@${DOMAIN}`).last().waitFor();
    await page.getByLabel('Number that we offer to call').fill('102');
    await page.getByLabel('Tell me about calls that left no message').uncheck();
    await card.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Your settings are saved.').first().waitFor();
    await page.reload();
    await page.getByLabel('Number that we offer to call').waitFor();
    assert.equal(await page.getByLabel('Number that we offer to call').inputValue(), '102');
    assert.equal(await page.getByLabel('Tell me about calls that left no message').isChecked(), false);
    // It is offered where a call is asked for.
    await follow(page, 'Greetings');
    await page.getByRole('button', { name: 'Record by phone' }).first().click();
    const dialog = page.getByRole('dialog');
    assert.equal(await dialog.getByLabel('Number', { exact: true }).inputValue(), '102');
    assert.ok(await dialog.getByLabel('Another number').isChecked());
    await page.finish();
});
