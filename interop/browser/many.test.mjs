// Many messages: searching, selecting several, keys, and a mailbox of thousands.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { DESK, assertNoBarriers, focused, follow, opener, signedIn, suite, visit } from './browser.mjs';
import { BOB, DOMAIN, passwordOf, until } from './world.mjs';

const here = suite(async world => {
    await world.leaveMessage('bob', 'alice', { words: ['--subject', 'Lunch on Friday', '--priority', 'urgent'] });
    await world.leaveMessage('bob', 'alice', { words: ['--subject', 'The budget'] });
    await world.leaveNoise('alice', 'Erin Example', 'Unheard of');
});

const list = page => page.getByRole('list', { name: 'Messages, newest first' }).getByRole('listitem');
const states = () => here.world.messages('alice').map(message => message.state);
const notices = page => page.getByRole('region', { name: 'Notices' });

test('messages are found by what they are about, and by what is special about them', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await until('all three', async () => await list(page).count() === 3);
    const search = page.getByRole('searchbox', { name: 'Search' });
    await search.fill('BUDGET');
    await page.getByText('1 message found').first().waitFor();
    await list(page).getByText('The budget').waitFor();
    assert.equal(await list(page).count(), 1);
    await search.fill('<b>nobody</b>');
    await page.getByText('No message fits').first().waitFor();
    await assertNoBarriers(page, 'nothing found');
    await page.getByRole('button', { name: 'Show all messages' }).click();
    await until('all three again', async () => await list(page).count() === 3);
    assert.equal(await search.inputValue(), '');
    await page.getByLabel('Show', { exact: true }).selectOption('Urgent');
    await until('the urgent one', async () => await list(page).count() === 1);
    await list(page).getByText('Lunch on Friday').waitFor();
    await search.press('Escape');
    await page.getByLabel('Show', { exact: true }).selectOption('Heard');
    await page.getByText('No message fits').first().waitFor();
    await page.finish();
});

test('several are marked and deleted at once, and that is undone at once', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await until('all three', async () => await list(page).count() === 3);
    await page.getByRole('button', { name: 'Select', exact: true }).click();
    const bar = page.getByRole('group', { name: 'What is selected' });
    await bar.getByText('0 selected').waitFor();
    await page.getByRole('checkbox', { name: 'Select the message from Erin Example' }).check();
    await bar.getByText('1 selected').waitFor();
    await assertNoBarriers(page, 'selecting');
    await bar.getByRole('checkbox', { name: 'All that are shown' }).check();
    await bar.getByText('3 selected').waitFor();
    await bar.getByRole('button', { name: 'Mark as heard' }).click();
    await notices(page).getByText('3 messages are marked as heard.').waitFor();
    await until('the marks', () => states().every(state => state === 'old'));
    await page.getByRole('button', { name: 'Undo' }).click();
    await until('the marks to be taken back', () => states().every(state => state === 'new'));

    await page.getByRole('button', { name: 'Select', exact: true }).click();
    await bar.getByRole('checkbox', { name: 'All that are shown' }).check();
    await bar.getByRole('button', { name: 'Delete' }).click();
    await notices(page).getByText('3 messages were deleted.').waitFor();
    await page.getByText('No messages').waitFor();
    assert.equal(await focused(page), 'Messages');
    await page.keyboard.press('z');
    await notices(page).getByText('3 messages are back in the inbox.').waitFor();
    await until('all three again', async () => await list(page).count() === 3);
    assert.ok(states().every(state => state === 'new'));
    // With nothing selected the buttons do nothing.
    await page.getByRole('button', { name: 'Select', exact: true }).click();
    await bar.getByRole('button', { name: 'Delete' }).click({ force: true });
    await bar.getByRole('button', { name: 'Done' }).click();
    assert.equal(await focused(page), 'Select');
    assert.equal(await list(page).count(), 3);
    await page.finish();
});

test('keys do what the list of them says, and can be switched off', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await until('all three', async () => await list(page).count() === 3);
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await dialog.waitFor();
    await assertNoBarriers(page, 'the list of keys');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    assert.match(await focused(page), /^Erin Example/);
    await page.keyboard.press('ArrowDown');
    assert.match(await focused(page), new RegExp(`^${BOB}`));
    await page.keyboard.press('k');
    assert.match(await focused(page), /^Erin Example/);
    await page.keyboard.press('m');
    await notices(page).getByText('marked as heard').waitFor();
    await page.keyboard.press('m');
    await notices(page).getByText('is new again').waitFor();
    await page.keyboard.press('d');
    await notices(page).getByText('The message from Erin Example was deleted.').waitFor();
    await page.keyboard.press('z');
    await until('it to be back, with the focus', async () => (await focused(page)).startsWith('Erin Example'));
    await page.keyboard.press('x');
    await page.getByRole('group', { name: 'What is selected' }).getByText('1 selected').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.keyboard.press('/');
    assert.equal(await page.evaluate(() => document.activeElement.type), 'search');
    // Letters in a field are letters.
    await page.keyboard.type('dz?');
    assert.equal(await page.getByRole('searchbox').inputValue(), 'dz?');
    await page.keyboard.press('Escape');
    await until('all three again', async () => await list(page).count() === 3);
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
    await dialog.getByLabel('Use these keys').uncheck();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.keyboard.press('j');
    assert.equal(await focused(page), 'Keyboard shortcuts', 'nothing has moved');
    await page.finish();
});

test('a call without a message is on the list of missed calls until it is removed', { timeout: 600_000 }, async () => {
    here.world.umbel('user', 'set', `alice@${DOMAIN}`, 'ring-time=1s');
    const caller = here.world.phone('bob', 'call', `alice@${DOMAIN}`, '--for', '1s');
    await until('the call to end', () => caller.exitCode !== null);
    here.world.umbel('user', 'set', `alice@${DOMAIN}`, 'ring-time=');
    const page = await signedIn(here, 'alice');
    await follow(page, 'Missed calls');
    const line = page.getByRole('list', { name: 'Missed calls' }).getByRole('listitem');
    await until('the call', async () => {
        await page.reload();
        await page.getByText('No missed calls').or(line).first().waitFor();
        return await line.count() === 1;
    });
    await line.getByText(BOB, { exact: true }).waitFor();
    await assertNoBarriers(page, 'missed calls');
    await line.getByRole('button', { name: `Remove the call from ${BOB}` }).click();
    await page.getByText('No missed calls').waitFor();
    assert.equal(await focused(page), 'Missed calls');
    await page.finish();
});

/// A mailbox of so many messages, told by the browser in the server's place: the page is what is measured.
async function withMany(page, count) {
    const message = number => ({
        id: number.toString(16).padStart(32, '0'), mailbox: `alice@${DOMAIN}`, number, caller: `+1555${1_000_000 + number}`, caller_name: `Caller ${number}`,
        caller_verified: true, subject: `Subject ${number}`, importance: 'normal', received: new Date(1_790_000_000_000 + number * 60_000).toISOString(),
        duration_seconds: 12, state: 'old', incomplete: false, damaged: false, call_id: `call-${number}`,
    });
    await page.route('**/api/v1/messages?*', route => {
        const asked = new URL(route.request().url()).searchParams;
        const from = Math.min(count, Number(asked.get('before') ?? count + 1) - 1);
        const limit = Math.min(Number(asked.get('limit')), from);
        const messages = Array.from({ length: limit }, (_, index) => message(from - index));
        route.fulfill({ json: { messages, next: from > limit ? messages.at(-1).number : null } });
    });
}

test('ten thousand messages come as one scrolls, and the page stays quick', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'mallory');
    await withMany(page, 10_000);
    await follow(page, 'Deleted');
    await follow(page, 'Inbox');
    await list(page).first().waitFor();
    assert.ok(await list(page).count() <= 500, 'only the first pages are asked for');
    await page.getByText('Caller 10000').waitFor();
    // Far down, as somebody who holds the key.
    await until('two thousand of them', async () => {
        await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
        return page.evaluate(() => document.querySelectorAll('.message').length >= 2_000);
    }, 400_000);
    await page.getByText('Caller 8001', { exact: true }).waitFor();
    // Opening one of them is some frames' work, and not that of all.
    const milliseconds = await page.evaluate(async () => {
        const began = performance.now();
        document.querySelectorAll('.message .heading')[1_000].click();
        await new Promise(resume => { requestAnimationFrame(() => requestAnimationFrame(resume)); });
        return performance.now() - began;
    });
    console.log(`# opening one of thousands: ${Math.round(milliseconds)} ms`);
    await page.getByRole('group', { name: 'Player' }).waitFor();
    await page.finish();
});

test('at 320 pixels and at twice the size nothing is cut off', { timeout: 600_000 }, async () => {
    for (const [viewport, hash] of [[{ width: 320, height: 640 }, '#messages'], [{ width: 320, height: 640 }, '#settings'], [{ width: DESK.width / 2, height: DESK.height / 2 }, '#settings']]) {
        for (const locale of ['en-GB', 'de-DE']) {
            const page = await visit(here, { viewport, locale });
            await page.locator('[name="address"]').fill('alice');
            await page.locator('[name="password"]').fill(passwordOf('alice'));
            await page.keyboard.press('Enter');
            await opener(page, 'Erin Example').click();
            await page.evaluate(to => { location.hash = to; }, hash);
            await page.getByRole('heading', { level: 1, name: { '#messages': /Messages|Nachrichten/, '#settings': /Settings|Einstellungen/ }[hash] }).waitFor();
            await assertNoBarriers(page, `${hash} at ${viewport.width} in ${locale}`);
            await page.finish();
        }
    }
});
