// Chromium as Debian packages it, driven by playwright-core; axe-core looks for barriers.

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, before } from 'node:test';

import { answersComeLate } from './late.mjs';
import { DOMAIN, PATIENCE, World, passwordOf } from './world.mjs';

const require = createRequire(`${process.env.BROWSER_MODULES ?? `${process.cwd()}/node_modules`}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell';

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1100, height: 800 };

/// How many times slower than it is the browser is to compute; races show that a quick one hides.
const SLOWNESS = Number(process.env.UMBEL_BROWSER_SLOWNESS ?? 1);
/// With a number, each answer of the API comes late by a time that the number decides.
const LATENESS = process.env.UMBEL_BROWSER_LATENESS;

async function launch() {
    const args = ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'];
    return chromium.launch({ executablePath: CHROMIUM, args, timeout: PATIENCE });
}

/// A time zone where it is about noon: what happened just now was today, at whatever hour this runs.
function zoneAtNoon() {
    const ahead = 12 - new Date().getUTCHours();
    // These names count the other way.
    return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

/// A server and a browser for all tests of a file, and what is to be there before the first of them.
export function suite(prepare = async () => {}, settings = {}) {
    const here = { world: null, browser: null };
    before(async () => {
        const begun = await Promise.allSettled([World.start(settings), launch()]);
        [here.world, here.browser] = begun.map(each => each.value ?? null);
        const failed = begun.find(each => each.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
        await prepare(here.world);
    });
    // Also where a test failed: the next one begins with no page open and nobody on the telephone.
    afterEach(async test => {
        const contexts = here.browser?.contexts() ?? [];
        if (test.error) for (const page of contexts.flatMap(context => context.pages())) await show(page);
        await Promise.all(contexts.map(context => context.close()));
        await here.world?.endPhones();
        if (test.error) here.world?.restoreAll();
    });
    after(async () => {
        await Promise.all([here.browser?.close(), here.world?.stop()]);
    });
    return here;
}

/// What a page shows where a test failed, for whoever reads of it: as assistive technology has it.
async function show(page) {
    const seen = await page.locator('body').ariaSnapshot({ timeout: 10_000 }).catch(error => `${error}`);
    console.log(`# ${page.url()} shows\n${seen}`);
}

/// A browser of somebody's own at the server's page. What goes wrong in it is collected, and looked at by `close`.
export async function visit({ browser, world }, { viewport = DESK, colorScheme = 'light', locale = 'en-GB', ...more } = {}) {
    // The certificate is of the server's own authority, which no browser knows.
    const context = await browser.newContext({ viewport, colorScheme, locale, ...more, timezoneId: zoneAtNoon(), ignoreHTTPSErrors: true });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    if (SLOWNESS > 1) await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: SLOWNESS });
    if (LATENESS !== undefined) await answersComeLate(page, LATENESS);
    const wrong = [];
    page.on('pageerror', error => wrong.push(`error in the page: ${error}`));
    page.on('console', message => {
        const expected = /status of 4\d\d/.test(message.text());
        if (['error', 'warning'].includes(message.type()) && !expected) wrong.push(`console: ${message.text()}`);
    });
    page.on('dialog', dialog => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on('request', request => {
        if (new URL(request.url()).origin !== world.url) wrong.push(`asked elsewhere: ${request.url()}`);
    });
    await page.goto(world.url);
    page.finish = async () => {
        await context.close();
        assert.deepEqual(wrong, []);
    };
    return page;
}

export async function signIn(page, user, password = passwordOf(user)) {
    await page.getByLabel('Address').fill(`${user}@${DOMAIN}`);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/// The same, and in.
export async function signedIn(here, user, settings) {
    const page = await visit(here, settings);
    await signIn(page, user);
    await page.getByRole('heading', { name: 'Messages', level: 1 }).waitFor();
    return page;
}

/// Goes where a link leads, and is there: before that, what one looks for may be found in the view that is left.
export async function follow(page, name) {
    const link = page.getByRole('link', { name, exact: true });
    await link.click();
    await link.and(page.locator('[aria-current="page"]')).waitFor();
}

/// Nothing on the page is a barrier by axe's rules, and nothing sticks out of a narrow screen.
export async function assertNoBarriers(page, view) {
    // Colours that are on their way to others are nobody's choice.
    await page.evaluate(async () => {
        const passing = document.getAnimations().filter(each => each.effect.getComputedTiming().endTime !== Infinity);
        await Promise.allSettled(passing.map(each => each.finished));
    });
    await page.evaluate(axe);
    const found = await page.evaluate(async () => (await window.axe.run()).violations);
    const told = found.map(each => `${each.impact} ${each.id}: ${each.nodes.map(node => node.target.join(' ')).join(', ')}`);
    assert.deepEqual(told, [], `barriers in ${view}`);
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(excess <= 0, `${view} is ${excess} pixels wider than the screen`);
}

/// The line of the message from somebody.
export const lineOf = (page, caller) => page.getByRole('listitem').filter({ hasText: caller });

/// What opens and closes it.
export const opener = (page, caller) => lineOf(page, caller).getByRole('button', { name: caller }).first();

/// What assistive technology would be on.
export const focused = page => page.evaluate(() => {
    const on = document.activeElement;
    return on.getAttribute('aria-label') ?? on.textContent.trim();
});
