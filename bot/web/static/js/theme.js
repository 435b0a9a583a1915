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
    if (chosen()) document.documentElement.dataset.theme = chosen();
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

let probe = null;

/** A colour of the style sheet as it is now, for what is drawn on a canvas. */
export function colour(name) {
    if (!probe) {
        probe = document.createElement("span");
        probe.hidden = true;
        document.body.append(probe);
    }
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
}
