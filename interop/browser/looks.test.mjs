// Every view on a narrow and a wide screen, in light and dark: no barriers, nothing cut off.

import { test } from 'node:test';

import { assertNoBarriers, DESK, follow, lineOf, opener, PHONE, signIn, suite, visit } from './browser.mjs';
import { BOB } from './world.mjs';

const here = suite(world => world.leaveMessage('bob', 'alice', { words: ['--subject', 'Lunch on Friday', '--priority', 'urgent'] }));

for (const [screen, viewport] of Object.entries({ narrow: PHONE, wide: DESK })) {
    for (const colorScheme of ['light', 'dark']) {
        test(`no view is a barrier on a ${screen} ${colorScheme} screen`, { timeout: 600_000 }, async () => {
            const page = await visit(here, { viewport, colorScheme });
            await page.getByRole('heading', { name: 'Your voice mail' }).waitFor();
            await assertNoBarriers(page, 'signing in');
            await signIn(page, 'alice', 'wrong');
            await page.getByRole('alert').getByText('wrong').waitFor();
            await assertNoBarriers(page, 'a wrong password');
            await signIn(page, 'alice');
            const line = lineOf(page, BOB);
            await line.waitFor();
            await assertNoBarriers(page, 'the list');
            await opener(page, BOB).click();
            await assertNoBarriers(page, 'a message');
            await line.getByRole('button', { name: 'Play on phone' }).click();
            await assertNoBarriers(page, 'asking for a call');
            await page.getByRole('button', { name: 'Cancel' }).click();
            await line.getByRole('button', { name: 'Delete' }).click();
            await page.getByText('No messages').waitFor();
            await assertNoBarriers(page, 'an empty list and a notice');
            await follow(page, 'Deleted');
            await opener(page, BOB).click();
            await assertNoBarriers(page, 'deleted messages');
            await lineOf(page, BOB).getByRole('button', { name: 'Restore' }).click();
            await page.getByText('Nothing deleted').waitFor();
            await follow(page, 'Greetings');
            await page.getByRole('article').first().waitFor();
            await assertNoBarriers(page, 'greetings');
            await follow(page, 'Settings');
            await assertNoBarriers(page, 'settings');
            await page.getByRole('button', { name: 'Sign out' }).click();
            await page.getByRole('heading', { name: 'Your voice mail' }).waitFor();
            await page.finish();
        });
    }
}
