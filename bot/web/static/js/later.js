/** A screen that is fetched when it is first asked for: charts weigh more than the board. */
import { html, useEffect, useState } from "./html.js";

export function Later({ load, props }) {
    const [loaded, setLoaded] = useState(null);
    useEffect(() => {
        let isCurrent = true;
        load().then(
            (module) => isCurrent && setLoaded({ Screen: module.default }),
            () => isCurrent && setLoaded({ Screen: Missing }),
        );
        return () => {
            isCurrent = false;
        };
    }, [load]);
    if (!loaded) return html`<p class="waiting">Loading</p>`;
    return html`<${loaded.Screen} ...${props} />`;
}

function Missing() {
    return html`<div class="page"><h1>This screen could not be loaded</h1>
        <p>The bot did not send its script. It may have ended, or be of another version than this page.</p>
        <p><button onClick=${() => location.reload()}>Load the page again</button></p></div>`;
}
