// Answers that come late, when something newer is known, and clicks that come twice: each order is forced.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { follow, lineOf, opener, signedIn, suite, visit } from './browser.mjs';
import { BOB, DOMAIN, until } from './world.mjs';

const here = suite(world => world.leaveMessage('bob', 'alice'));

/// Keeps back the answer to the next request `what` asks for. `caught` is the answer, when the server has
/// given it; `release` hands it over, or `instead` of it another.
async function keepBack(page, method, what) {
    let [caught, release] = [];
    const kept = { caught: new Promise(resume => { caught = resume; }) };
    const released = new Promise(resume => { release = resume; });
    let isFirst = true;
    await page.route(what, async route => {
        if (!isFirst || route.request().method() !== method) return route.fallback();
        isFirst = false;
        const answer = await route.fetch();
        caught(answer);
        const instead = await released;
        await route.fulfill({ response: answer, ...instead });
        return null;
    });
    kept.release = async instead => {
        const came = page.waitForEvent('requestfinished', request => request.method() === method && what.test(request.url()));
        release(instead);
        await came;
        // The page has read it, and drawn what it made of it.
        await page.evaluate(() => new Promise(resume => { requestAnimationFrame(() => requestAnimationFrame(resume)); }));
    };
    return kept;
}

/// Counts requests.
function count(page, method, what) {
    const counted = { requests: 0 };
    page.on('request', request => { if (request.method() === method && what.test(request.url())) counted.requests += 1; });
    return counted;
}

const LIST = /\/api\/v1\/messages\?/;

test('a list that was asked for before something was done does not undo it on the page', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    const line = lineOf(page, BOB);
    await opener(page, BOB).click();
    const list = await keepBack(page, 'GET', LIST);
    // What changes is told by the server, and the page asks for the list.
    await line.getByRole('button', { name: 'Mark as heard' }).click();
    await list.caught;
    await line.getByRole('button', { name: 'Mark as new' }).click();
    await line.getByRole('button', { name: 'Mark as heard' }).waitFor();
    await line.evaluate(element => { element.dataset.still = 'there'; });
    const asked = count(page, 'GET', LIST);
    await list.release({ json: { messages: [], next: null } });
    await until('the list to be asked for again', () => asked.requests > 0);
    assert.equal(await line.getAttribute('data-still'), 'there', 'the line was never away');
    await line.getByRole('group', { name: 'Player' }).waitFor();
    assert.equal(await page.getByText('No messages').count(), 0);
    await page.finish();
});

test('who has signed out is told nothing of what was still under way', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await opener(page, BOB).click();
    const me = await keepBack(page, 'GET', /\/api\/v1\/me$/);
    // Which makes the page ask how many are new.
    await lineOf(page, BOB).getByRole('button', { name: 'Mark as' }).click();
    const told = await (await me.caught).json();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Your voice mail' }).waitFor();
    await me.release({ json: { ...told, counts: { ...told.counts, new: 7 } } });
    assert.equal(await page.title(), 'Voice mail');
    await page.finish();
});

test('settings that were saved are not taken back by what was asked for before', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await opener(page, BOB).click();
    const me = await keepBack(page, 'GET', /\/api\/v1\/me$/);
    // Which makes the page ask how many are new.
    await lineOf(page, BOB).getByRole('button', { name: 'Mark as' }).click();
    await me.caught;
    await follow(page, 'Settings');
    const number = page.getByLabel('Number that we offer to call');
    await number.fill('102');
    await page.getByRole('form', { name: 'Play on phone' }).getByRole('button', { name: 'Save' }).click();
    await page.getByRole('region', { name: 'Notices' }).getByText('Your settings are saved.').waitFor();
    await me.release();
    await follow(page, 'Greetings');
    await follow(page, 'Settings');
    assert.equal(await number.inputValue(), '102');
    await page.finish();
});

test('a double click on Sign in is one guess at the password', { timeout: 600_000 }, async () => {
    const page = await visit(here);
    const guesses = count(page, 'POST', /\/api\/v1\/session$/);
    const answer = await keepBack(page, 'POST', /\/api\/v1\/session$/);
    await page.getByLabel('Address').fill(`bob@${DOMAIN}`);
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in', exact: true }).dblclick();
    await answer.caught;
    await answer.release();
    await page.getByRole('alert').getByText('The address or the password is wrong.').waitFor();
    assert.equal(guesses.requests, 1);
    await page.finish();
});

test('a double click on Delete deletes once, and what is said of it stands', { timeout: 600_000 }, async () => {
    const page = await signedIn(here, 'alice');
    await opener(page, BOB).click();
    const asked = count(page, 'DELETE', /\/api\/v1\/messages\//);
    const answer = await keepBack(page, 'DELETE', /\/api\/v1\/messages\//);
    await lineOf(page, BOB).getByRole('button', { name: 'Delete' }).dblclick();
    await answer.caught;
    await answer.release();
    await page.getByRole('region', { name: 'Notices' }).getByText('was deleted.').waitFor();
    assert.equal(asked.requests, 1);
    await page.getByRole('button', { name: 'Undo' }).click();
    await lineOf(page, BOB).waitFor();
    await page.finish();
});
