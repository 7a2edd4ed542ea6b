// What happens to the owner's calls, on the settings page: every rule, what is wrong with one, and what is kept.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { PHONE, assertNoBarriers, follow, signedIn, suite } from './browser.mjs';
import { DOMAIN, until } from './world.mjs';

const here = suite();

/// Alice's rules as the commands know them.
function rules() {
    const { routing } = JSON.parse(here.world.umbel('user', 'show', `alice@${DOMAIN}`, '--json'));
    return routing;
}

/// The target that is asked for now; the other question's is not shown.
const forwardTo = card => card.getByLabel('Forward to').filter({ visible: true });

async function calls(settings) {
    const page = await signedIn(here, 'alice', settings);
    await follow(page, 'Settings');
    return { page, card: page.getByRole('form', { name: 'Your calls' }) };
}

async function saved({ page, card }) {
    await card.getByRole('button', { name: 'Save' }).click();
    const notices = page.getByRole('region', { name: 'Notices' });
    const told = notices.getByText('Your calls are handled this way from now on.');
    await told.waitFor();
    // Away with it, so that the next one is not taken for said before it is.
    await notices.getByRole('button', { name: 'Dismiss' }).click();
    await told.waitFor({ state: 'detached' });
}

test('every question becomes the rule that the server follows', { timeout: 600_000 }, async () => {
    const { page, card } = await calls();
    await card.getByLabel('Ring for, in seconds').fill('25');
    await card.getByLabel('Forward the call').check();
    await forwardTo(card).fill('102');
    await card.getByLabel('Another phone of mine').check();
    await card.getByLabel('Number of the other phone').fill('103');
    await card.getByLabel('My team').check();
    await card.getByLabel('Members of the team').fill(`bob@${DOMAIN}, 103`);
    await card.getByLabel('They ring after').fill('5');
    await card.getByLabel('Only within working hours').check();
    const span = card.getByRole('group', { name: 'Hours 1' });
    await span.getByLabel('Last day').selectOption('Thursday');
    await span.getByLabel('From').fill('08:30');
    await card.getByRole('button', { name: 'Add hours' }).click();
    const second = card.getByRole('group', { name: 'Hours 2' });
    await second.getByLabel('First day').selectOption('Friday');
    await second.getByLabel('Until').fill('00:00');
    await saved({ page, card });
    assert.deepEqual(rules(), {
        'forward-unanswered': '102', 'ring-also': '103', 'ring-time': '25s', team: `bob@${DOMAIN}, 103`, 'team-after': '5s',
        'work-hours': 'mon-thu 08:30-17:00, fri 09:00-24:00',
    });
    // The page shows them again as they are.
    await page.reload();
    await card.getByLabel('My team').waitFor();
    assert.ok(await card.getByLabel('My team').isChecked());
    assert.equal(await forwardTo(card).inputValue(), '102');
    assert.equal(await second.getByLabel('Until').inputValue(), '00:00');
    // What is not used is kept for another time.
    await card.getByLabel('My team').uncheck();
    await card.getByLabel('Only within working hours').uncheck();
    await card.getByLabel('Voice mail', { exact: true }).check();
    await saved({ page, card });
    assert.equal(rules().team, `off:bob@${DOMAIN}, 103`);
    assert.equal(rules()['forward-unanswered'], 'off:102');
    assert.equal(rules()['work-hours'], 'off:mon-thu 08:30-17:00, fri 09:00-24:00');
    await page.finish();
});

test('a call goes where the page says', { timeout: 600_000 }, async () => {
    const phone = await here.world.registered('bob', '--after', '1s');
    const { page, card } = await calls();
    await card.getByLabel('Forward all calls at once').check();
    await forwardTo(card).fill(`bob@${DOMAIN}`);
    await saved({ page, card });
    const caller = here.world.phone('mallory', 'call', `alice@${DOMAIN}`, '--for', '3s');
    await phone.event('ringing');
    await until('the call to end', () => caller.exitCode !== null);
    await card.getByLabel('Do not disturb').check();
    await saved({ page, card });
    assert.deepEqual([rules()['do-not-disturb'], rules()['forward-immediate']], ['yes', undefined]);
    await card.getByLabel('Ring my phones').check();
    await saved({ page, card });
    assert.equal(rules()['do-not-disturb'], undefined);
    await page.finish();
});

test('what is wrong is told beside its field, which has the focus, and nothing is changed', { timeout: 600_000 }, async () => {
    const before = rules();
    for (const viewport of [undefined, PHONE]) {
        const { page, card } = await calls({ viewport });
        await card.getByLabel('Forward all calls at once').check();
        const target = forwardTo(card);
        await target.fill('');
        await card.getByRole('button', { name: 'Save' }).click();
        await card.getByText('Say where to.').waitFor();
        assert.ok(await target.evaluate(field => field === document.activeElement));
        assert.equal(await target.getAttribute('aria-invalid'), 'true');
        // The server knows what is no target.
        await target.fill('b@d@dress');
        await card.getByRole('button', { name: 'Save' }).click();
        await card.getByText('This is no address, extension or number.').waitFor();
        assert.ok(await target.evaluate(field => field === document.activeElement));
        // Calls are not sent to where their owner may not call (SEC-90).
        await target.fill('+15550199');
        await card.getByRole('button', { name: 'Save' }).click();
        await card.getByRole('alert').getByText('nobody here').waitFor();
        await card.getByLabel('Ring my phones').check();
        await card.getByLabel('Ring for, in seconds').fill('1201');
        await card.getByRole('button', { name: 'Save' }).click();
        await card.getByText('A number from 0 to 1200, please.').waitFor();
        await card.getByLabel('Only within working hours').check();
        await card.getByRole('group', { name: 'Hours 1' }).getByLabel('Until').fill('07:00');
        await card.getByLabel('Ring for, in seconds').fill('');
        await card.getByRole('button', { name: 'Save' }).click();
        await card.getByText('the end is after the begin').waitFor();
        await assertNoBarriers(page, 'rules that are wrong');
        assert.deepEqual(rules(), before);
        await page.finish();
    }
});

test('rules that the page has no question for are told and left as they are', { timeout: 600_000 }, async () => {
    here.world.umbel('user', 'set', `alice@${DOMAIN}`, 'breakthrough=102');
    const { page, card } = await calls();
    await card.getByText('Other rules of yours are in force: breakthrough.').waitFor();
    await saved({ page, card });
    assert.equal(rules().breakthrough, '102');
    await page.finish();
});
