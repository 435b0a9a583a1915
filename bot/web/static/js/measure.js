/** How wide a label will be, measured once per shape of its text: digits are all as wide as a zero. */

const widths = new Map();
let ruler = null;

function makeRuler() {
    ruler = document.createElement("span");
    ruler.className = "ruler";
    ruler.setAttribute("aria-hidden", "true");
    document.body.append(ruler);
    document.fonts?.addEventListener("loadingdone", () => widths.clear());
}

/** The width in whole pixels of `text` in an element of `className`. */
export function widthOf(text, className) {
    const shape = `${className} ${text.replace(/\d/g, "0")}`;
    if (!widths.has(shape)) {
        if (!ruler) makeRuler();
        ruler.className = `ruler ${className}`;
        ruler.textContent = text.replace(/\d/g, "0");
        widths.set(shape, Math.ceil(ruler.getBoundingClientRect().width));
    }
    return widths.get(shape);
}
