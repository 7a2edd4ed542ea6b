// The folders of a mailbox, above what is in one of them.

import { icon, make } from './dom.js';
import { say } from './say.js';

const FOLDERS = [['kept', '#messages'], ['missed', '#missed'], ['deleted', '#deleted']];

/// Links to all folders, and what the owner should do about the mailbox.
export function folderLinks(current, owner) {
    return [
        make('nav', { class: 'folders', 'aria-label': say('messages.folders') }, FOLDERS.map(([folder, hash]) =>
            make('a', { href: hash, 'aria-current': folder === current ? 'page' : null }, say(`messages.${folder}`)))),
        owner.me.pin_state === 'generated' && make('p', { class: 'explained warned' }, icon('warning'),
            make('span', {}, say('secrets.pin_made'), ' ', make('a', { href: '#settings' }, say('secrets.pin_made_link')))),
    ];
}
