// The page's words: every language says the same, and the page says nothing that has no words.

import { strict as assert } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../../crates/web/page/', import.meta.url));
const languages = readdirSync(PAGE).map(file => /^words-(\w+)\.js$/.exec(file)?.[1]).filter(Boolean);

/// The scripts of the page are modules, which Node takes from a text where their name does not say so.
async function wordsOf(language) {
    const source = readFileSync(`${PAGE}words-${language}.js`);
    return (await import(`data:text/javascript;base64,${source.toString('base64')}`)).words;
}

/// Every text by its path. Where the number decides, the forms are one text.
function texts(words, path = '') {
    return Object.entries(words).flatMap(([key, value]) => {
        const place = path === '' ? key : `${path}.${key}`;
        if (typeof value === 'string') return [[place, [value], null]];
        return 'other' in value && Object.keys(value).length <= 6 && Object.values(value).every(each => typeof each === 'string') && 'one' in value
            ? [[place, Object.values(value), Object.keys(value)]]
            : texts(value, place);
    });
}

const gaps = text => [...text.matchAll(/\{(\w+)\}/g)].map(found => found[1]);

test('all languages have the same texts with the same gaps', async () => {
    assert.ok(languages.length >= 2, `${languages}`);
    const english = texts(await wordsOf('en'));
    for (const language of languages) {
        const there = texts(await wordsOf(language));
        assert.deepEqual(there.map(([place]) => place), english.map(([place]) => place), language);
        for (const [index, [place, forms, names]] of there.entries()) {
            const [, englishForms, englishNames] = english[index];
            assert.equal(names === null, englishNames === null, `${language} ${place}: a number decides in one and not in the other`);
            const expected = new Set(englishForms.flatMap(gaps));
            assert.deepEqual(new Set(forms.flatMap(gaps)), expected, `${language} ${place}`);
            for (const form of forms) assert.notEqual(form.trim(), '', `${language} ${place} is empty`);
            // Every number of the language has its form.
            if (names !== null) {
                const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
                assert.deepEqual([...names].sort(), [...wanted].sort(), `${language} ${place}`);
            }
        }
    }
});

test('every text that a script says is there', async () => {
    const places = new Set(texts(await wordsOf('en')).map(([place]) => place));
    const scripts = readdirSync(PAGE).filter(file => file.endsWith('.js') && !file.startsWith('words-'));
    const said = scripts.flatMap(file => {
        const source = readFileSync(PAGE + file, 'utf8');
        return [...source.matchAll(/\bsay\(\s*'([\w.-]+)'/g), ...source.matchAll(/'((?:routing|messages|phone)\.[\w-]+)'/g)].map(found => [file, found[1]]);
    });
    assert.ok(said.length > 150, `${said.length}`);
    for (const [file, place] of said) {
        assert.ok(places.has(place), `${file} says ${place}, which has no words`);
    }
});
