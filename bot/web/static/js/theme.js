/** Light or dark: what the system says, until a person says otherwise on this device. */

const KEY = "ringfence.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function chosen() {
    try {
        return localStorage.getItem(KEY);
    } catch {
        return null; // a browser that keeps nothing
    }
}

export const isDark = () => (chosen() ? chosen() === "dark" : system.matches);

const listeners = new Set();

function show() {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    listeners.forEach((listener) => listener());
}

/** Call `listener` after every change of colours: canvases have to be drawn again. */
export function onTheme(listener) {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

export function startTheme() {
    show();
    system.addEventListener("change", show);
}

export function toggleTheme() {
    try {
        localStorage.setItem(KEY, isDark() ? "light" : "dark");
    } catch {
        return;
    }
    show();
}

/** A colour of the style sheet, for what is drawn on a canvas. */
export const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
