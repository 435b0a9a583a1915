/** Whether somebody has to sign in here, and signing out. */
import { html, useEffect, useState } from "./html.js";
import { post, read, signedOut } from "./api.js";

const OPEN = { is_let_in: true, is_open: true, scopes: [] };

/** `{is_let_in, is_open, scopes}`; a bot that cannot be asked is treated as open: its answers say more. */
export const standing = () => read("session").catch(() => OPEN);

async function leave() {
    await post("logout", {}).catch(() => null); // whoever is not heard is shown the way in all the same
    signedOut();
}

/** Nothing where nobody has to sign in. */
export function SignOut() {
    const [known, setKnown] = useState(OPEN);
    useEffect(() => {
        standing().then(setKnown);
    }, []);
    return known.is_open ? null : html`<button class="quiet theme" onClick=${leave}>Sign out</button>`;
}
