// What a browser keeps for its user: choices about the page itself. Nothing of a mailbox is among it.

/// The text kept under `name`; empty where there is none, or where the browser keeps nothing.
export function kept(name) {
    try {
        return localStorage.getItem(`umbel-${name}`) ?? '';
    } catch {
        return '';
    }
}

/// Keeps it; an empty text is forgotten.
export function keep(name, text) {
    try {
        if (text === '') localStorage.removeItem(`umbel-${name}`);
        else localStorage.setItem(`umbel-${name}`, text);
    } catch {
        // It then holds for as long as the page does, or not at all.
    }
}
