// Making elements. Texts become text nodes, always: nothing here reads markup (SEC-101).

const SVG = 'http://www.w3.org/2000/svg';
const ICONS = new URL('icons.svg', import.meta.url).pathname;

/// An element with attributes, listeners (`on`) and children; strings among the children are text.
export function make(tag, { on = {}, ...attributes } = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === false || value === null || value === undefined) continue;
        element.setAttribute(name, value === true ? '' : value);
    }
    for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
    element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
    return element;
}

/// A picture of our own beside words that say the same: assistive technology skips it.
export function icon(name) {
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS(SVG, 'use');
    use.setAttribute('href', `${ICONS}#${name}`);
    svg.append(use);
    return svg;
}

/// A button with an icon and a text.
export function button(text, listener, { picture, ...attributes } = {}) {
    const inside = [picture && icon(picture), make('span', {}, text)];
    return make('button', { type: 'button', ...attributes, on: { click: listener } }, inside);
}

let made = 0;

/// An id that no other element has.
export function freshId() {
    made += 1;
    return `e${made}`;
}

/// Puts children in the place of what was there.
export function fill(element, ...children) {
    element.replaceChildren(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
    return element;
}
