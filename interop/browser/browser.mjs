// Chromium as Debian packages it, driven by playwright-core; axe-core looks for barriers.

import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before } from 'node:test';

import { DOMAIN, World, passwordOf } from './world.mjs';

const require = createRequire(`${process.env.BROWSER_MODULES ?? `${process.cwd()}/node_modules`}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell';

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1100, height: 800 };

async function launch() {
    return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'] });
}

/// A server and a browser for all tests of a file, and what is to be there before the first of them.
export function suite(prepare = async () => {}, settings = {}) {
    const here = { world: null, browser: null };
    before(async () => {
        [here.world, here.browser] = await Promise.all([World.start(settings), launch()]);
        await prepare(here.world);
    });
    after(async () => {
        await here.browser?.close();
        await here.world?.stop();
    });
    return here;
}

/// A browser of somebody's own at the server's page. What goes wrong in it is collected, and looked at by `close`.
export async function visit({ browser, world }, { viewport = DESK, colorScheme = 'light', locale = 'en-GB', ...more } = {}) {
    // The certificate is of the server's own authority, which no browser knows.
    const context = await browser.newContext({ viewport, colorScheme, locale, ...more, timezoneId: 'Europe/Berlin', ignoreHTTPSErrors: true });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
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

/// Nothing on the page is a barrier by axe's rules, and nothing sticks out of a narrow screen.
export async function assertNoBarriers(page, view) {
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
