// The list of messages: who called, playing, marking, deleting, restoring, and what arrives meanwhile.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { assertNoBarriers, focused, follow, lineOf, opener, PHONE, signedIn, suite } from './browser.mjs';
import { ALICE, BOB, DOMAIN, HOSTILE_NAME, HOSTILE_SUBJECT, until } from './world.mjs';

/// Long enough to be still heard when a machine that is busy looks whether it is.
const here = suite(world => world.leaveMessage('bob', 'alice', { times: 4, words: ['--subject', 'Lunch on Friday', '--priority', 'urgent'] }));

const stateOf = (user, caller) => here.world.messages(user).find(message => message.caller.startsWith(caller))?.state;

test('a message says who called, when, how long, and what is special about it', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    const line = lineOf(page, BOB);
    for (const text of ['New', 'Urgent', 'Lunch on Friday', 'Caller verified', 'Today, ']) {
        await line.getByText(text, { exact: text === 'New' }).waitFor();
    }
    const { duration_seconds: seconds } = here.world.messages('alice')[0];
    // Exactly that: it may have come at 10:03.
    await line.getByText(`0:${String(Math.round(seconds)).padStart(2, '0')}`, { exact: true }).waitFor();
    await page.getByText('1 new message').first().waitFor();
    assert.equal(await page.title(), '(1) Voice mail');
    await page.finish();
});

test('a message is heard in the browser, sounds like speech, and is old then', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    const line = lineOf(page, BOB);
    await opener(page, BOB).click();
    assert.equal(await focused(page), 'Play');
    await page.keyboard.press('Space');
    await line.getByRole('button', { name: 'Pause' }).waitFor();
    const position = () => line.locator('audio').evaluate(audio => audio.currentTime);
    await until('the sound to go on', async () => await position() > 0.5);
    // Not silence: what the browser decodes has the level of a voice.
    const level = await page.evaluate(async source => {
        const octets = await (await fetch(source)).arrayBuffer();
        const decoded = await new OfflineAudioContext(1, 1, 16_000).decodeAudioData(octets);
        const samples = decoded.getChannelData(0);
        return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    }, await line.locator('audio').getAttribute('src'));
    assert.ok(level > 0.01, `level ${level}`);
    await until('the message to be marked', () => stateOf('alice', 'bob') === 'old');
    await line.getByText('New', { exact: true }).waitFor({ state: 'detached' });
    await until('the title to follow', async () => await page.title() === 'Voice mail');
    await page.finish();
});

test('arrows move within the sound, and the speed can be chosen', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    const line = lineOf(page, BOB);
    await opener(page, BOB).click();
    const audio = line.locator('audio');
    await page.keyboard.press('Space');
    await until('the sound to begin', () => audio.evaluate(each => each.currentTime > 0));
    await page.keyboard.press('Space');
    const from = await audio.evaluate(each => each.currentTime);
    await page.keyboard.press('ArrowRight');
    const slider = line.getByRole('slider', { name: 'Position' });
    const whole = await audio.evaluate(each => each.duration);
    const reached = Math.min(from + 5, whole);
    await until('five seconds on', () => audio.evaluate((each, place) => Math.abs(each.currentTime - place) < 0.2, reached));
    assert.match(await slider.getAttribute('aria-valuetext'), /seconds? of \d+ seconds?/);
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    await until('five seconds back', () => audio.evaluate((each, place) => Math.abs(each.currentTime - place) < 0.2, reached - 5 < 0 ? 0 : reached - 5));
    await line.getByLabel('Speed').selectOption('1.5');
    assert.equal(await audio.evaluate(each => each.playbackRate), 1.5);
    await page.finish();
});

test('a message is marked as new, deleted, brought back at once or from its folder', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    const line = lineOf(page, BOB);
    await opener(page, BOB).click();
    await line.getByRole('button', { name: 'Mark as new' }).click();
    await line.getByText('New', { exact: true }).waitFor();
    await until('the mark in the mailbox', () => stateOf('alice', 'bob') === 'new');
    await line.getByRole('button', { name: 'Mark as heard' }).click();
    await until('the other mark', () => stateOf('alice', 'bob') === 'old');

    await line.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No messages').waitFor();
    assert.equal(stateOf('alice', 'bob'), 'deleted');
    await page.getByRole('button', { name: 'Undo' }).click();
    await line.waitFor();
    await until('the message to be back', () => stateOf('alice', 'bob') === 'old');

    await opener(page, BOB).click();
    await line.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('No messages').waitFor();
    await follow(page, 'Deleted');
    await opener(page, BOB).click();
    await lineOf(page, BOB).getByRole('button', { name: 'Restore' }).click();
    await page.getByText('Nothing deleted').waitFor();
    await follow(page, 'Inbox');
    await lineOf(page, BOB).waitFor();
    await page.finish();
});

test('what arrives, and what is done by telephone or command, shows by itself', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'bob');
    await page.getByText('No messages').waitFor();
    await here.world.leaveMessage('alice', 'bob');
    const line = lineOf(page, ALICE);
    await line.getByText('New', { exact: true }).waitFor();
    await page.getByRole('status').getByText('One new message has come.').waitFor({ state: 'attached' });
    await until('the title to follow', async () => await page.title() === '(1) Voice mail');
    here.world.umbel('message', 'delete', here.world.messages('bob')[0].id);
    await line.waitFor({ state: 'detached' });
    await page.finish();
});

test('names and subjects that look like markup are shown as they are and do nothing', { timeout: 600_000 }, async () => {
    await here.world.leaveNoise('bob', HOSTILE_NAME, HOSTILE_SUBJECT);
    for (const viewport of [undefined, PHONE]) {
        const page = await signedIn(here, 'bob', { viewport });
        const line = page.getByRole('listitem').first();
        await line.getByText(HOSTILE_SUBJECT).waitFor();
        await line.getByText(HOSTILE_NAME).waitFor();
        await line.getByText('Caller not verified').waitFor();
        await line.getByRole('button').first().click();
        await line.getByRole('button', { name: 'Play on phone' }).click();
        await page.getByRole('dialog').getByText(HOSTILE_NAME).waitFor();
        await page.getByRole('button', { name: 'Cancel' }).click();
        assert.equal(await page.evaluate(() => window.harmed), undefined);
        assert.equal(await page.locator('main img, main script, main svg[onload]').count(), 0);
        await assertNoBarriers(page, 'a hostile message');
        await page.finish();
    }
    const page = await signedIn(here, 'mallory');
    await page.getByRole('banner').getByText(HOSTILE_NAME).waitFor();
    await page.finish();
});

test('everything works by keyboard alone', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await lineOf(page, BOB).waitFor();
    // From the heading, where signing in leads, on to the message.
    const reach = async (name, key = 'Tab') => {
        for (let presses = 0; presses < 20; presses += 1) {
            await page.keyboard.press(key);
            if ((await focused(page)).startsWith(name)) return;
        }
        assert.fail(`${name} is not reached by ${key}`);
    };
    await reach(BOB);
    await page.keyboard.press('Enter');
    assert.equal(await focused(page), 'Play');
    await reach('Delete');
    await page.keyboard.press('Enter');
    await page.getByText('No messages').waitFor();
    assert.equal(await focused(page), 'Messages');
    await reach('Undo');
    await page.keyboard.press('Enter');
    await until('the message to have the focus', async () => (await focused(page)).startsWith(BOB));
    await reach('Sign out', 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your voice mail' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'address');
    assert.equal(here.world.messages('alice').filter(message => message.mailbox === `alice@${DOMAIN}`).length, 1);
    await page.finish();
});
